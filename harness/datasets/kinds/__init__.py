"""Kinds of task, one file each: only a kind knows what a gold cell and an answer are.

A kind file offers `read_gold`, `reply_format`, `parse`, `score` and `METRICS`. Gold and answer
travel through the engine as canonical text; nothing outside this folder looks inside.
"""
