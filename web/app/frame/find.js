/** Opens the palette, whose file is loaded when it is first needed. @param {string} [text] */
export const openPalette = async (text) => (await import('./palette.js')).openPalette(text);
