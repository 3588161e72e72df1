"""Makes the files, reads them, and prints what came out."""

import argparse
import re
import sys
import tempfile
from pathlib import Path


def main() -> int:
    from tests.odd_media.files import FILES, NO_PICTURES
    from tests.odd_media.reading import as_film, as_recording

    about = sys.modules["tests.odd_media"].__doc__
    parser = argparse.ArgumentParser(prog="python -m tests.odd_media", description=about)
    parser.add_argument("words", nargs="*", help="only files that have one of these words in their names")
    args = parser.parse_args()
    bad = count = 0
    print("| file | as a recording | as a film | said |\n| --- | --- | --- | --- |")
    for name, odd in FILES.items():
        if args.words and not any(word in name for word in args.words):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file.{odd.suffix}"
            try:
                odd.make(path)
                sound, heard = as_recording(path)
                picture, seen = as_film(path)
            except Exception as error:
                sound, picture, heard, seen = f"wrong: {type(error).__name__}: {error}", "", [], []
        notes = list(dict.fromkeys(note.replace(str(path), "it") for note in [*heard, *seen]))
        told = not odd.told or any(odd.told in note for note in notes)
        right = bool(re.match(odd.recording, sound) and re.match(odd.film, picture) and told)
        bad += not right
        picture = picture.replace(NO_PICTURES, "no pictures")
        print(f"| {name} | {sound} | {picture} | {'; '.join(notes)} |{'' if right else ' <-- wrong'}", flush=True)
        count += 1
    print(f"\n{count} files, {bad} of them not as they should be")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
