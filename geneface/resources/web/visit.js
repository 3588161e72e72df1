() => {
  // Kept while the tab is there, so a page that is loaded anew finds what it had.
  let key = sessionStorage.getItem('geneface-visit');
  if (!key) {
    key = [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, '0')).join('');
    sessionStorage.setItem('geneface-visit', key);
  }
  return [key];
}
