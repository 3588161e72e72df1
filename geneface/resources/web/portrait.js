const state = {x: 0, y: 0, aim: [0, 0], seen: 0, blink: 0, sheet: null, url: ''};
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const clamp = (value) => Math.max(-1, Math.min(1, value));
document.addEventListener('pointermove', (event) => {
  const box = element.getBoundingClientRect();
  if (!box.width) return;
  state.aim = [clamp((event.clientX - box.x - box.width / 2) / (innerWidth / 2)),
               clamp((event.clientY - box.y - box.height / 2) / (innerHeight / 2))];
  state.seen = performance.now();
});
const nearest = (value, count) => Math.round((value + 1) / 2 * (count - 1)) / (count - 1) * 2 - 1;
const draw = (canvas, now) => {
  const columns = +canvas.dataset.columns, rows = +canvas.dataset.rows, side = +canvas.dataset.side;
  const pad = +canvas.dataset.pad, tile = side + 2 * pad;
  if (state.url !== canvas.dataset.sheet) {
    state.url = canvas.dataset.sheet;
    state.sheet = null;
    const sheet = new Image();
    sheet.onload = () => { state.sheet = sheet; };
    sheet.src = state.url;
  }
  if (!state.sheet) return;
  if (!calm && now - state.seen > 2500) {
    state.aim = [0.5 * Math.sin(now / 2100), 0.35 * Math.sin(now / 3300)];
  }
  state.x += (nearest(state.aim[0], columns) - state.x) * (calm ? 0 : 0.07);
  state.y += (nearest(state.aim[1], rows) - state.y) * (calm ? 0 : 0.07);
  if (now > state.blink + 180) state.blink = now + 2000 + 3500 * Math.random();
  const shut = !calm && now > state.blink ? rows : 0;
  const pen = canvas.getContext('2d');
  const column = (state.x + 1) / 2 * (columns - 1), row = (state.y + 1) / 2 * (rows - 1);
  const left = Math.min(Math.floor(column), columns - 2), top = Math.min(Math.floor(row), rows - 2);
  const right = column - left, below = row - top;
  const put = (x, y, share) => {
    if (share < 0.004) return;
    pen.globalAlpha = share;
    pen.drawImage(state.sheet, x * tile + pad, (y + shut) * tile + pad, side, side, 0, 0, canvas.width, canvas.height);
  };
  put(left, top, 1);
  put(left + 1, top, right);
  put(left, top + 1, below * (1 - right));
  put(left + 1, top + 1, below * right);
  canvas.classList.add('gf-awake');
};
const tick = (now) => {
  const canvas = element.querySelector('canvas');
  if (canvas && canvas.checkVisibility({visibilityProperty: true})) draw(canvas, now);
  requestAnimationFrame(tick);
};
requestAnimationFrame(tick);
