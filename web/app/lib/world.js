/** Pure functions about the map of AWS's regions: the land as dots, where each region is, where its label has room. */

/** The least longitude and the greatest latitude of the map, and degrees from dot to dot. */
const WEST = -168;
const NORTH = 75;
const STEP = 3;
export const WIDTH = 360;
export const HEIGHT = 132;

/** Which dots are land: a row of 120 dots for each 3 degrees, in hex. From the coastlines of Natural Earth, which are in the public domain. */
const LAND = `
  0001290007ffc000001c03fc010000 0001fdff03ffffffff21fffff7e000 fffffffffffffff9e2817ffffff863 fffffffffffffff88e000000000005
  3fffffcd60e0001efffffffffffff0 3effff83c040003efffffffffff380 000fffe1f000021cfffffffffe0600 0007fffbfc00033fffffffffff0c00
  0003fffff80001ffffffffffff0000 0001ffffe60001fffffffffffe0000 0001fffff00000ffc73ffffffc0000 0001ffff8000078ddbbffffff10000
  0001ffff000007857fbfffff210000 0000fffe000003f07fffffffb70000 00007ffc000003f90fffffff8c0000 00003ffc000007ffffffffff800000
  00003f0400000fffffbfffff800000 0000070000001ffff7f1ffff000000 0000070300001ffffbf0fdfc000000 000003e000001ffffbe070f0000000
  0000003800001fffffc06078800000 0000000800001ffffe002038400000 00000001f0000fffff802040000000 00000003fe0007ffff800021000000
  00000001ff00001fff000063000000 00000003ff80001ffe000027500000 00000007ffe0000ffc000036870000 00000007fff8000ffc000010038000
  00000003fff80007fc000002014000 00000001fff00007fc0000000c0000 00000001fff0000ffc8000003d8000 000000007ff0000ff98000007f8000
  000000007fe00007f1800001ffc100 000000007fc00007f1000003ffe000 000000007f800007f0000003fff000 00000000ff000003e0000001fff000
  00000000fe000003c0000001e7e000 00000000fc0000000000000001e020 00000000f800000000000000000030 00000000e000000000000000004020
  00000001c0000000000000000000c0 00000001c000000000000000000000 00000001c800000000000000000000 00000000e000000000000000000000
`.trim().split(/\s+/);

/** Latitude and longitude of each region, to a degree; AWS says the city or the state. @type {Record<string, [number, number]>} */
const REGIONS = {
  'us-east-1': [39, -77], 'us-east-2': [40, -83], 'us-west-1': [37, -122], 'us-west-2': [46, -120], 'us-gov-east-1': [40, -83], 'us-gov-west-1': [46, -120], 'ca-central-1': [45, -74], 'ca-west-1': [51, -114], 'mx-central-1': [21, -100], 'sa-east-1': [-24, -47],
  'eu-west-1': [53, -6], 'eu-west-2': [51, 0], 'eu-west-3': [49, 2], 'eu-central-1': [50, 9], 'eu-central-2': [47, 9], 'eu-north-1': [59, 18], 'eu-south-1': [45, 9], 'eu-south-2': [42, -1], 'eusc-de-east-1': [52, 13],
  'il-central-1': [32, 35], 'me-south-1': [26, 51], 'me-central-1': [24, 54], 'af-south-1': [-34, 18],
  'ap-south-1': [19, 73], 'ap-south-2': [17, 78], 'ap-southeast-1': [1, 104], 'ap-southeast-2': [-34, 151], 'ap-southeast-3': [-6, 107], 'ap-southeast-4': [-38, 145], 'ap-southeast-5': [3, 102], 'ap-southeast-6': [-37, 175], 'ap-southeast-7': [14, 101],
  'ap-east-1': [22, 114], 'ap-east-2': [25, 122], 'ap-northeast-1': [36, 140], 'ap-northeast-2': [38, 127], 'ap-northeast-3': [35, 135], 'cn-north-1': [40, 116], 'cn-northwest-1': [38, 105],
};

/** The land as one path of dots: strokes without a length, which round ends make dots. */
export function land() {
  let path = '';
  LAND.forEach((row, y) => {
    for (let x = 0; x < row.length * 4; x += 1) if ((parseInt(row[x >> 2], 16) >> (3 - (x & 3))) & 1) path += `M${x * STEP + 1.5} ${y * STEP + 1.5}h0`;
  });
  return path;
}

/** Where a region is on the map, in its units; null if it is not known here. @param {string} region @returns {{x: number, y: number} | null} */
export function placeOf(region) {
  const at = REGIONS[region];
  return at ? { x: at[1] - WEST + 1.5, y: NORTH - at[0] + 1.5 } : null;
}

/** The line from one place to another, bent a little, as the path of an SVG. @param {{x: number, y: number}} from @param {{x: number, y: number}} to */
export function line(from, to) {
  const far = Math.hypot(to.x - from.x, to.y - from.y);
  return `M${from.x} ${from.y}Q${(from.x + to.x) / 2} ${(from.y + to.y) / 2 - far * 0.18} ${to.x} ${to.y}`;
}

const TALL = 16;
const AWAY = 9;

/**
 * Where the labels of places have room, so that none lies over another one or over a place: below, right, left, above of its place, or further
 * off; the earlier ones choose first. All in pixels.
 * @param {Array<{x: number, y: number, wide: number}>} places @param {number} width of the map
 * @returns {Array<{left: number, top: number}>}
 */
export function labels(places, width) {
  const taken = places.map((place) => ({ left: place.x - 5, top: place.y - 5, right: place.x + 5, bottom: place.y + 5 }));
  return places.map((place) => {
    // The lines between places bend upwards, so that there is most room below.
    const tries = [[place.x - place.wide / 2, place.y + AWAY]];
    for (const off of [0, 1, 2, 3, 4, 5]) {
      for (const down of off === 0 ? [0] : [off, -off]) {
        tries.push([place.x + AWAY, place.y - TALL / 2 + down * TALL], [place.x - AWAY - place.wide, place.y - TALL / 2 + down * TALL], [place.x - place.wide / 2, place.y - TALL / 2 + down * TALL]);
      }
    }
    const boxes = tries.map(([left, top]) => ({ left, top, right: left + place.wide, bottom: top + TALL }));
    const free = boxes.find((box) => box.left >= 0 && box.right <= width && box.top >= 0 && !taken.some((one) => box.left < one.right && one.left < box.right && box.top < one.bottom && one.top < box.bottom)) ?? boxes[0];
    taken.push(free);
    return { left: free.left, top: free.top };
  });
}
