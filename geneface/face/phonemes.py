"""One small set of phonemes for every language, and the way there from IPA as speech synthesisers write it."""

import re
import unicodedata

SILENCE = "sil"
VOWELS: tuple[str, ...] = tuple("iyɪeøɛœæaɑɒɔouʊʌəɜɨ")
CONSONANTS: tuple[str, ...] = tuple("pbmfvwtdnszθðlɾrɹʃʒjkɡŋhxʔ")
INVENTORY: tuple[str, ...] = (SILENCE, *VOWELS, *CONSONANTS)

# What is not in the inventory goes to the nearest symbol, by lips first, then by sound.
_NEAREST = {
    "ɐ": "ʌ", "ɶ": "œ", "ɵ": "ø", "ɘ": "ə", "ɞ": "ɜ", "ɤ": "ʌ", "ɯ": "ɨ", "ʉ": "u", "ʏ": "y", "ᵻ": "ɪ", "ᵿ": "ʊ",
    "ɚ": "əɹ", "ɝ": "ɜɹ",
    "ɓ": "b", "β": "v", "ɸ": "f", "ʋ": "v", "ʍ": "w", "ɥ": "y", "ɱ": "m", "ʙ": "b", "ʘ": "p",
    "ʈ": "t", "ɖ": "d", "ɗ": "d", "ɳ": "n", "ɲ": "n", "ɴ": "ŋ", "ɽ": "ɾ", "ɻ": "ɹ", "ʀ": "r", "ʁ": "r",
    "ɫ": "l", "ɭ": "l", "ʎ": "l", "ʟ": "l", "ɬ": "l", "ɮ": "l", "ɺ": "l",
    "c": "tʃ", "ɟ": "dʒ", "ʄ": "dʒ", "ʦ": "ts", "ʣ": "dz", "ʧ": "tʃ", "ʤ": "dʒ", "ʨ": "tʃ", "ʥ": "dʒ",
    "ɕ": "ʃ", "ʂ": "ʃ", "ç": "ʃ", "ɧ": "ʃ", "ʑ": "ʒ", "ʐ": "ʒ", "ʝ": "j",
    "g": "ɡ", "ɠ": "ɡ", "ɢ": "ɡ", "ʛ": "ɡ", "ɣ": "ɡ", "ɰ": "ɡ", "q": "k", "χ": "x", "ħ": "h", "ɦ": "h", "ʜ": "h",
    "ʕ": "ʔ", "ʡ": "ʔ", "ʢ": "ʔ", "?": "ʔ", "ǀ": "t", "ǃ": "t", "ǂ": "t", "ǁ": "l",
    "A": "ɑ", "E": "ɛ", "I": "ɪ", "O": "ɔ", "U": "ʊ", "@": "ə", "D": "ð", "N": "ŋ", "S": "ʃ", "T": "θ", "X": "x",
    "Z": "ʒ",
}  # fmt: skip
_TONES = re.compile(r"[2-7]")
_LANGUAGE_SWITCH = re.compile(r"\([^)]*\)")


def normalise(ipa: str) -> list[str]:
    """Symbols of `INVENTORY` for the IPA of one phoneme, word or sentence in any language.

    Diphthongs and affricates fall in two; stress, length, tone, aspiration and nasalisation are dropped, and
    neighbours that are then equal become one. Marks that stand for no sound give nothing.
    """
    if ipa == SILENCE:
        return [SILENCE]
    ipa = _LANGUAGE_SWITCH.sub(" ", unicodedata.normalize("NFC", ipa)).replace("ˈ", "").replace("ˌ", "")
    ipa = ipa.replace("??", "ʊə")  # espeak-ng's German "wurde"
    if _TONES.search(ipa):
        ipa = _untone(ipa)
    symbols: list[str] = []
    for character in ipa:
        base = character if character in _NEAREST else unicodedata.normalize("NFD", character)[0]
        symbols += [symbol for symbol in _NEAREST.get(base, base) if symbol in INVENTORY and [symbol] != symbols[-1:]]
    return symbols


def _untone(ipa: str) -> str:
    """Undo how espeak-ng spells Chinese and Vietnamese: the third tone as a vowel, aspiration as h, and more."""
    ipa = re.sub(r"ɜ(?!ː)", "", ipa)
    ipa = re.sub(r"(?<=[ptksɕ.])h", "", ipa)
    ipa = ipa.replace("nɡ", "ŋ").replace("o-", "ɤ").replace("s.", "ʂ")
    return re.sub(r"i[.\u032a]", "ɨ", ipa)
