"""How the page looks. No web fonts: nothing is fetched from elsewhere."""

from typing import Any

HEADER = """
<header class="gf-header">
  <svg viewBox="0 0 64 64" width="52" height="52" aria-hidden="true">
    <defs><linearGradient id="gf-g" x1="0" y1="0" x2="1" y2="1">
      <stop offset="0" stop-color="#ff8a5c"/><stop offset="1" stop-color="#e0487e"/></linearGradient></defs>
    <rect width="64" height="64" rx="18" fill="url(#gf-g)"/>
    <circle cx="23" cy="25" r="3.6" fill="#fff"/><circle cx="41" cy="25" r="3.6" fill="#fff"/>
    <g class="gf-mouth" stroke="#fff" stroke-width="4.4" stroke-linecap="round">
      <path d="M14 38v4"/><path d="M23 40v9"/><path d="M32 41v11"/><path d="M41 40v9"/><path d="M50 38v4"/></g>
  </svg>
  <div><h1>GeneFace</h1><p>Give any voice a face.</p></div>
</header>
"""

NOTICE = """
<p class="gf-notice"><b>Every video made here is AI-generated</b>, and says so inside its file.
Say so too when you share it. Do not impersonate anyone, and put words into a real person's mouth only with
their consent.</p>
"""

CSS = """
.gradio-container { width: 100%; max-width: 1160px !important; margin: 0 auto !important; }
.gf-header { display: flex; align-items: center; gap: 16px; padding: 10px 0 6px; }
.gf-header h1 { font-size: 1.65rem; font-weight: 750; letter-spacing: -0.02em; margin: 0; line-height: 1.15; }
.gf-header p { margin: 2px 0 0; color: var(--body-text-color-subdued); font-size: 1.02rem; }
.gf-header svg { flex: none; border-radius: 18px; box-shadow: 0 6px 18px #e0487e44; }
.gf-mouth path { transform-box: fill-box; transform-origin: center; }
.gf-mouth path { animation: gf-talk 1.3s ease-in-out infinite alternate; }
.gf-mouth path:nth-child(2n) { animation-duration: 0.9s; }
@keyframes gf-talk { from { transform: scaleY(0.6); } to { transform: scaleY(1.1); } }
@keyframes gf-slide { from { transform: translateX(-110%); } to { transform: translateX(330%); } }
.gf-tabs .tab-container button { font-size: 1rem; padding: 8px 16px; }
.gf-tabs .tab-container button.selected { color: color-mix(in srgb, var(--color-accent) 75%, var(--body-text-color)); }
.gf-tabs .label-wrap { text-align: left; gap: 12px; }
.gf-section { padding: 6px 2px 0; }
.gf-hint, .gf-hint p { color: var(--body-text-color-subdued); font-size: 0.92rem; }
.gf-style { display: none; }
:focus-visible { outline: 2px solid var(--color-accent) !important; outline-offset: 2px; }

.gf-persons .wrap:has(label) { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 8px; }
.gf-persons .wrap label,
.gf-persons .wrap label.selected { background: none; color: var(--body-text-color); box-shadow: none;
  border: 1px solid var(--border-color-primary); border-radius: 14px;
  flex-direction: column; align-items: center; gap: 4px; padding: 6px;
  text-align: center; }
.gf-persons .wrap label::before { content: ''; width: 100%; aspect-ratio: 1; border-radius: 12px;
  background: center / cover linear-gradient(150deg, #fda48a, #e0487e); }
.gf-persons .wrap label.selected { border-color: var(--color-accent); box-shadow: 0 0 0 1.5px var(--color-accent);
  font-weight: 650; }
.gf-persons .wrap label input { position: absolute; opacity: 0; }
.gf-persons .wrap label:has(input:focus-visible) { outline: 3px solid var(--color-accent); outline-offset: 2px; }
.gf-persons .wrap label span { margin: 0; overflow-wrap: anywhere; line-height: 1.2; }
.gf-search { align-items: end; }

.gradio-container .html-container { padding: 0 !important; }
.gf-stage .block { border: none !important; padding: 0 !important; background: none; }
.gf-stage .block:has(video), .gf-stage .block:has(img) { border-radius: 20px !important; overflow: hidden; }
.gf-stage .image-container, .gf-stage .image-frame, .gf-stage .image-frame img { width: 100%; height: 100%; }
.gf-stage img, .gf-stage video, .gf-stage canvas { width: 100%; aspect-ratio: 1; object-fit: cover; display: block; }
.gf-stage.gf-wide video { aspect-ratio: auto; object-fit: contain; max-height: 70vh; background: #1c1917; }
.gf-stage .gf-clear video { background: repeating-conic-gradient(#d6d3d1 0 25%, #fafaf9 0 50%) 0 0 / 28px 28px; }
.gf-portrait { position: relative; border-radius: 20px; overflow: hidden; aspect-ratio: 1; background: #a8a29e; }
.gf-portrait canvas { position: absolute; inset: 0; opacity: 0; transition: opacity 0.6s; }
.gf-portrait canvas.gf-awake { opacity: 1; }
.gf-portrait .gf-name { position: absolute; left: 16px; bottom: 14px; padding: 4px 12px; border-radius: 999px;
  background: #1c1917b3; color: #fff; font-size: 0.92rem; font-weight: 600; }
.gf-portrait .gf-status { position: absolute; inset: auto 12px 52px; }
.gf-portrait .gf-nobody { display: grid; place-items: center; height: 100%; font-size: 2rem; color: #fff; }
.gf-blank { display: grid; place-items: center; text-align: center; aspect-ratio: 16 / 10;
  background: var(--background-fill-secondary); border: 1.5px dashed var(--border-color-primary); }
.gf-blank p { max-width: 26rem; padding: 16px; line-height: 1.5; color: var(--body-text-color-subdued); }

.gf-status { --gf-tone: #a8a29e; display: grid; gap: 8px; padding: 10px 14px 10px 18px; border-radius: 12px;
  font-size: 0.95rem; line-height: 1.35; color: var(--body-text-color); border: 1px solid var(--block-border-color);
  background: linear-gradient(90deg, var(--gf-tone) 5px, #0000 5px) var(--block-background-fill); }
.gf-status.gf-busy { --gf-tone: #f97352; }
.gf-status.gf-done { --gf-tone: #16a34a; }
.gf-status.gf-failed { --gf-tone: #dc2626; background-color: #dc262618; font-weight: 550; }
#hub-persons, #hub-persons .grid-wrap { border: none !important; padding: 0; height: auto !important;
  min-height: 0 !important; max-height: 330px; }
#hub-persons .grid-container { grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)) !important; }
#hub-persons .grid-container > * { max-width: 150px; }
#hub-persons .caption-label { font-size: 0.75rem; }
.gf-bar { display: block; height: 8px; border-radius: 4px; overflow: hidden; background: #a8a29e55; }
.gf-bar i { display: block; height: 100%; border-radius: 4px; background: linear-gradient(90deg, #f97352, #e0487e);
  transition: width 0.25s linear; }
.gf-bar-unknown i { width: 30%; animation: gf-slide 1.4s ease-in-out infinite; }

.gf-plot { margin: 0; padding: 12px 14px 8px; border-radius: 16px; background: var(--block-background-fill);
  border: 1px solid var(--block-border-color); }
.gf-plot.gf-empty { padding: 18px 14px; text-align: center; color: var(--body-text-color-subdued); font-size: 0.9rem;
  border: 1.5px dashed var(--border-color-primary); }
.gf-plot figcaption { display: flex; gap: 18px; font-size: 0.82rem; color: var(--body-text-color-subdued); }
.gf-key::before { content: ''; display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px;
  background: #a8a29e; }
.gf-key-mouth::before { background: #e0487e; }
.gf-plot svg { width: 100%; height: 120px; display: block; }
.gf-wave { stroke: #a8a29e; stroke-width: 2.2; stroke-linecap: round; }
.gf-mouth-area { fill: #e0487e; opacity: 0.22; }
.gf-mouth-line { fill: none; stroke: #e0487e; stroke-width: 1.8; stroke-linejoin: round; }
.gf-plot svg * { vector-effect: non-scaling-stroke; }
.gf-playhead { stroke: var(--body-text-color); stroke-width: 1.5; opacity: 0; }
.gf-ticks { position: relative; height: 18px; font-size: 0.75rem; color: var(--body-text-color-subdued);
  font-variant-numeric: tabular-nums; }
.gf-ticks span { position: absolute; }

#voice .audio-container, #voice-compare .audio-container { height: auto; min-height: 0; }
#voice button:has(input[type=file]), #voice-compare button:has(input[type=file]) { height: 136px !important; }
input[type=range]::-webkit-slider-thumb { border: 1px solid var(--neutral-400); }
input[type=range]::-moz-range-thumb { border: 1px solid var(--neutral-400); }
.gf-go { font-size: 1.08rem; }
.gf-notice { color: var(--body-text-color-subdued); font-size: 0.88rem; line-height: 1.45; margin: 4px 2px; }
.gf-notice b { color: var(--body-text-color); }
#head .icon-button-wrapper, #live .icon-button-wrapper, footer .divider { display: none !important; }
@media (prefers-reduced-motion: reduce) {
  .gf-portrait canvas { transition: none; }
  .gf-mouth path, .gf-bar-unknown i { animation: none; }
}
@media (min-width: 761px) {
  .gf-stage { position: sticky; top: 12px; }
}
@media (max-width: 760px) {
  .gf-columns { flex-direction: column-reverse; align-items: stretch !important; }
  .gf-tabs .tab-container button { font-size: 0.9rem; padding: 8px 5px; }
  .gf-header { padding-top: 2px; }
  .gf-plot.gf-empty { display: none; }
}
"""


def build_theme() -> Any:
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
