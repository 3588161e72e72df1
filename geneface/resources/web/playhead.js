const line = () => element.querySelector('.gf-playhead');
const live = () => document.querySelector('#live video');
const player = () => document.querySelector('#video video[data-seen]') || live();
const seen = ({target, type}) => {
  // A video is transparent until it has a picture; below it are the portrait and the growing video.
  const finished = target.closest('#video');
  if (!finished && !target.closest('#live')) return;
  if (type === 'loadeddata' && !(finished && !live())) return;
  target.dataset.seen = '';
  if (finished && live()) live().pause();
};
document.addEventListener('playing', seen, true);
document.addEventListener('loadeddata', seen, true);
const tick = () => {
  const video = player(), head = line();
  if (head) {
    const length = parseFloat(head.dataset.seconds), time = video ? video.currentTime : 0;
    head.style.opacity = video && time > 0 ? 1 : 0;
    head.style.transform = `translateX(${Math.min(time / length, 1) * 960}px)`;
  }
  if (video && video === live()) window.gfTime = video.currentTime;
  requestAnimationFrame(tick);
};
tick();
