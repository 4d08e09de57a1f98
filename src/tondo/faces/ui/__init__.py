"""The pages: server-rendered, one data loader and one template each.

Comes in: the values of workspace/pages.py. Goes out: HTML that needs no network and no script.
Holds: what a page shows is also JSON at the same address of the API.
"""
