const line = () => element.querySelector('.gf-playhead');
const player = () => [...document.querySelectorAll('#live video, #video video')].find(v => v.offsetParent);
const tick = () => {
  const video = player(), head = line();
  if (head) {
    const length = parseFloat(head.dataset.seconds), time = video ? video.currentTime : 0;
    head.style.opacity = video && time > 0 ? 1 : 0;
    head.style.transform = `translateX(${Math.min(time / length, 1) * 960}px)`;
  }
  if (video && video.closest('#live')) window.gfTime = video.currentTime;
  requestAnimationFrame(tick);
};
tick();
