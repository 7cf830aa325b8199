// A way to the lab that a story can close, slow down and cut. It passes bytes, so TLS goes through it.
import { connect, createServer } from 'node:net';

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** @param {string} base the address of the lab */
export async function way(base) {
  const lab = new URL(base);
  const sockets = new Set();
  let port = 0;
  const to = {
    address: '',
    /** Milliseconds by which answers come later. */
    delay: 0,
    /** Whether requests get through, and their connections end in the place of answers. */
    cut: false,
    /** Nobody is there: connections end, and new ones are refused. */
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async open() {
      await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
      port = server.address().port;
      to.address = `https://127.0.0.1:${port}`;
    },
  };
  const server = createServer((client) => {
    const there = connect(Number(lab.port), lab.hostname);
    for (const [one, other] of [[client, there], [there, client]]) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (bytes) => there.write(bytes));
    // Each piece waits for those before it.
    let sent = Promise.resolve();
    there.on('data', (bytes) => {
      if (to.cut) return void client.destroy();
      const due = performance.now() + to.delay;
      sent = sent.then(() => pause(due - performance.now())).then(() => void client.write(bytes));
      return undefined;
    });
  });
  await to.open();
  return to;
}
