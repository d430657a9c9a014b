"""Fusions of arms over stored predictions: every threshold, without a call. Pure.

A fusion is tried on the predictions that its members have stored; `arms/` holds the same fusions as
arms that ask. What is chosen here is chosen on one split and reported on another.
"""
