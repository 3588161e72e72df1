// Buttons that replace one another (.gf-swap) hand on the keyboard's focus, which a removed button would lose.
let panel = null;
const shown = (button) => button.checkVisibility({visibilityProperty: true});
document.addEventListener('focusin', ({target}) => {
  panel = target.closest('.gf-swap') ? target.closest('[role=tabpanel]') : null;
});
document.addEventListener('pointerdown', ({target}) => {
  if (!target.closest('.gf-swap')) panel = null;
});
const handOn = () => {
  if (!panel || document.activeElement !== document.body) return;
  const next = [...panel.querySelectorAll('button.gf-swap')].find(shown);
  if (next) next.focus({preventScroll: true});
};

// Arrow keys move within tabs and choices, which Gradio leaves to the Tab key.
const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};
document.addEventListener('keydown', (event) => {
  const step = steps[event.key], at = event.target;
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const kind = ['[role=tab]', 'input[type=radio]'].find((each) => at.matches(each));
  const group = kind && at.closest(kind === '[role=tab]' ? '[role=tablist]' : '.block');
  if (!group) return;
  const all = [...group.querySelectorAll(kind)].filter((each) => !each.disabled);
  const next = all[(all.indexOf(at) + step + all.length) % all.length];
  event.preventDefault();
  next.focus();
  next.click();
});

// What Gradio leaves without a name, or calls by another one than it shows.
const name = () => {
  document.querySelectorAll('#head button:not([aria-label])').forEach((button) => {
    button.setAttribute('aria-label', 'The head, turned');
  });
  document.querySelectorAll('button[aria-dropeffect][aria-label], #takes button[aria-label]').forEach((button) => {
    if (button.innerText.trim()) button.removeAttribute('aria-label');
  });
  document.querySelectorAll('button.playback').forEach((button) => {
    const speed = button.innerText.trim();
    if (!button.ariaLabel?.includes(speed)) button.setAttribute('aria-label', `Speed of playing: ${speed}`);
  });
};
new MutationObserver(() => { handOn(); name(); }).observe(document.body, {childList: true, subtree: true});

// Leaving stops a comparison; a take is found again.
addEventListener('beforeunload', (event) => {
  if (document.querySelector('#cancel-compare')) event.preventDefault();
});
