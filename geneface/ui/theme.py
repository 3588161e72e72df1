"""How the page looks. No web fonts: nothing is fetched from elsewhere."""

from typing import TYPE_CHECKING

from geneface.resources import web

if TYPE_CHECKING:
    from gradio.themes import Base

HEADER = web("header.html")

NOTICE = web("notice.html")

CSS = web("page.css")

KEYS = web("keys.js")
"""What the page does for those who use the keyboard, or hear it read out; and the question before leaving work."""

VOICE = web("voice.js")
"""Lets the voice box take videos, too."""


def build_theme() -> "Base":
    import gradio as gr

    fonts = ("ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
    theme = gr.themes.Soft(
        primary_hue=gr.themes.colors.rose,
        secondary_hue=gr.themes.colors.orange,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        font=fonts,
        font_mono=("ui-monospace", "Menlo", "Consolas", "monospace"),
    )
    return theme.set(
        body_background_fill="*neutral_100",
        background_fill_primary_dark="*neutral_900",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        input_border_width="1px",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_600",
        checkbox_border_color="*neutral_400",
        checkbox_border_color_dark="*neutral_400",
        block_border_width="1px",
        button_primary_background_fill="linear-gradient(100deg, #e4512c, #d13a73)",
        button_primary_background_fill_hover="linear-gradient(100deg, #d64620, #c22f66)",
        button_primary_background_fill_dark="linear-gradient(100deg, #e4512c, #d13a73)",
        button_primary_background_fill_hover_dark="linear-gradient(100deg, #d64620, #c22f66)",
        button_primary_text_color="white",
        color_accent="*primary_600",
        button_secondary_background_fill_hover_dark="*neutral_700",
        block_title_background_fill="none",
        block_title_background_fill_dark="none",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_text_weight="600",
        block_title_padding="0",
        block_label_background_fill="none",
        block_label_background_fill_dark="none",
        block_label_text_color="*body_text_color",
        block_label_text_color_dark="*body_text_color",
        block_label_text_weight="600",
        checkbox_label_background_fill_selected="*primary_50",
        checkbox_label_background_fill_selected_dark="*primary_950",
        checkbox_label_text_color_selected="*body_text_color",
        checkbox_label_border_width="1px",
        checkbox_label_border_color_selected="*primary_500",
        layout_gap="14px",
    )
