"""Geometry of the charts: from values to places on a canvas; templates draw them as SVG.

Comes in: values of workspace/pages.py and a width. Goes out: points, bars, ticks in pixels.
Holds: no colours and no words of style; the stylesheet decides those in both themes.
"""
