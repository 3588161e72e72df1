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
.gradio-container { max-width: 1120px !important; margin: 0 auto !important; }
.gf-header { display: flex; align-items: center; gap: 16px; padding: 10px 2px 2px; }
.gf-header h1 { font-size: 1.65rem; font-weight: 750; letter-spacing: -0.02em; margin: 0; line-height: 1.15; }
.gf-header p { margin: 2px 0 0; color: var(--body-text-color-subdued); font-size: 1.02rem; }
.gf-header svg { flex: none; border-radius: 18px; box-shadow: 0 6px 18px #e0487e44; }
.gf-mouth path { transform-box: fill-box; transform-origin: center; }
.gf-mouth path { animation: gf-talk 1.3s ease-in-out infinite alternate; }
.gf-mouth path:nth-child(2n) { animation-duration: 0.9s; }
@keyframes gf-talk { from { transform: scaleY(0.6); } to { transform: scaleY(1.1); } }
@media (prefers-reduced-motion: reduce) { .gf-mouth path { animation: none; } }
.gf-stage .block { border: none !important; padding: 0 !important; border-radius: 20px !important; overflow: hidden; }
.gf-stage .wrap.full { background: linear-gradient(#0000 45%, #1c1917d9 88%) !important; justify-content: flex-end; }
.gf-stage .wrap.full, .gf-stage .wrap.full * { color: #fff; font-family: var(--font); font-size: 0.95rem; }
.gf-stage .wrap.full .progress-level { margin-bottom: 34px; }
.gf-stage .image-container, .gf-stage .image-frame, .gf-stage .image-frame img { width: 100%; height: 100%; }
.gf-stage img, .gf-stage video { width: 100%; aspect-ratio: 1; object-fit: cover; }
#voice .audio-container { height: auto; min-height: 0; }
#voice button:has(input[type=file]) { height: 120px; }
.gf-go { font-size: 1.08rem; }
.gf-notice { color: var(--body-text-color-subdued); font-size: 0.88rem; line-height: 1.45; margin: 4px 2px; }
.gf-notice b { color: var(--body-text-color); }
@media (max-width: 760px) {
  .gf-columns { flex-direction: column-reverse; }
  .gf-header { padding-top: 2px; }
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
        block_border_width="1px",
        button_primary_background_fill="linear-gradient(100deg, #f97352, #e0487e)",
        button_primary_background_fill_hover="linear-gradient(100deg, #fa8266, #e65c8d)",
        button_primary_background_fill_dark="linear-gradient(100deg, #f97352, #e0487e)",
        button_primary_text_color="white",
    )
