// Gradio's audio box takes sound alone, but phones record mp4: a video goes in as the sound that it has.
const box = (target) => target instanceof Element && target.closest('.gf-voice');
const asSound = (files) => {
  const all = new DataTransfer();
  for (const file of files) {
    const video = file.type.startsWith('video/');
    all.items.add(video ? new File([file], file.name, {type: file.type.replace('video/', 'audio/')}) : file);
  }
  return all;
};
const anyVideo = (files) => [...(files || [])].some((file) => file.type.startsWith('video/'));
document.addEventListener('click', ({target}) => {
  if (target.type === 'file' && box(target)) target.accept = 'audio/*,video/*';
}, true);
document.addEventListener('change', ({target}) => {
  if (target.type === 'file' && box(target) && anyVideo(target.files)) target.files = asSound(target.files).files;
}, true);
document.addEventListener('drop', (event) => {
  if (!box(event.target) || !anyVideo(event.dataTransfer.files)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const dataTransfer = asSound(event.dataTransfer.files);
  event.target.dispatchEvent(new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer}));
}, true);
