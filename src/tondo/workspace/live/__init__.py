"""What runs now: the scorers as they answer, what each variant does a second, one row explained.

Comes in: the addresses that scorers wrote down. Goes out: rates, latencies, errors, states.
Holds: scorers are asked once a second whoever looks, and not at all while nobody does.
"""
