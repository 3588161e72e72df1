"""Figures that the paper published, for the report to set beside its own; not measured here."""

COLUMNS = ("FID", "LMD", "Sync", "FID (OOD)", "Sync (OOD)")
TABLE_1: dict[str, tuple[str, ...]] = {
    "Wav2Lip": ("71.40", "3.988", "9.212", "68.05", "9.645"),
    "MakeItTalk": ("57.96", "4.848", "4.981", "53.33", "4.933"),
    "PC-AVS": ("96.81", "5.812", "6.239", "98.31", "6.156"),
    "LSP": ("29.30", "4.589", "6.119", "35.21", "4.320"),
    "AD-NeRF": ("27.52", "4.199", "4.894", "35.69", "4.225"),
    "Ground truth": ("0.00", "0.000", "8.733", "N/A", "N/A"),
    "GeneFace": ("22.88", "3.933", "6.987", "27.38", "6.212"),
}
SAID = (
    "Published in Table 1 of the paper (arXiv 2301.13430), not measured here. Its videos, crops, landmark detector "
    "and weights were others: the order of the methods can be compared, the values cannot. OOD: out-of-domain audio."
)
