() => {
  const start = window.gfTime || 0;
  const play = () => {
    const video = document.querySelector('#video video');
    if (!video || !video.src) return setTimeout(play, 50);
    if (start > 0.2) video.currentTime = start;
    // A browser that refuses to play by itself shows the first picture.
    video.play().catch(() => { video.dataset.seen = ''; });
  };
  if (document.querySelector('#talk-status .gf-done')) play();
  return [];
}
