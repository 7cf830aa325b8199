// Sets the theme before the first paint, so that a dark page does not flash white. A classic script, since modules wait.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('claviger.theme');
  } catch {
    // Storage can be switched off; then the system decides.
  }
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
