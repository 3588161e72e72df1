"""Files as people really have them, read as a recording and as a film, and held against what is right.

python -m tests.odd_media          # makes them all, and prints the table of docs/odd_files.md
python -m tests.odd_media mirrored # these only
"""
