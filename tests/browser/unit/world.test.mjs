import { test } from 'node:test';
import assert from 'node:assert/strict';
import { HEIGHT, WIDTH, labels, land, line, placeOf } from '../../../web/app/lib/world.js';

const REGIONS = ['eu-central-1', 'eu-central-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-south-1', 'eu-north-1', 'us-east-1', 'ap-southeast-6'];

test('the regions are on the map, and nothing else is', () => {
  for (const region of REGIONS) {
    const at = placeOf(region);
    assert.ok(at !== null && at.x > 0 && at.x < WIDTH && at.y > 0 && at.y < HEIGHT, region);
  }
  assert.equal(placeOf('moon-east-1'), null);
});

test('cities of regions are on land or beside it', () => {
  const dots = land().match(/M[\d.]+ [\d.]+/g).map((dot) => dot.slice(1).split(' ').map(Number));
  assert.ok(dots.every(([x, y]) => x > 0 && x < WIDTH && y > 0 && y < HEIGHT));
  for (const region of REGIONS) {
    const at = placeOf(region);
    const near = Math.min(...dots.map(([x, y]) => Math.hypot(x - at.x, y - at.y)));
    assert.ok(near < 4.5, `${region} is ${near} degrees from land`);
  }
});

test('labels lie neither over each other nor over places, nor outside of the map', () => {
  for (const width of [700, 1080]) {
    const places = REGIONS.map((region) => ({ x: placeOf(region).x * (width / WIDTH), y: placeOf(region).y * (width / WIDTH), wide: region.length * 6.8 }));
    const boxes = labels(places, width).map((box, i) => ({ left: box.left, right: box.left + places[i].wide, top: box.top, bottom: box.top + 16 }));
    for (const [i, box] of boxes.entries()) {
      assert.ok(box.left >= 0 && box.right <= width && box.top >= 0, REGIONS[i]);
      for (const other of boxes.slice(i + 1)) assert.ok(box.right <= other.left || other.right <= box.left || box.bottom <= other.top || other.bottom <= box.top, REGIONS[i]);
      for (const place of places) assert.ok(box.right <= place.x - 4 || box.left >= place.x + 4 || box.bottom <= place.y - 4 || box.top >= place.y + 4, REGIONS[i]);
    }
  }
});

test('a line leads from one place to the other', () => {
  assert.equal(line({ x: 0, y: 10 }, { x: 10, y: 10 }), 'M0 10Q5 8.2 10 10');
});
