const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** One line on stderr. On a terminal a bar that moves; elsewhere the first and the last word only. Never on stdout. */
export function startProgress(label, total) {
  const started = Date.now();
  const isLive = process.stderr.isTTY === true && !process.env.CI;
  let done = 0;
  let frame = 0;
  const draw = () => {
    const share = total ? Math.min(1, done / total) : 0;
    const filled = Math.round(share * 24);
    const bar = total ? ` ${'━'.repeat(filled)}${'╌'.repeat(24 - filled)} ${Math.min(done, total)}/${total}` : '';
    frame = (frame + 1) % FRAMES.length;
    process.stderr.write(`\r\x1b[2K${FRAMES[frame]} ${label}${bar} ${secondsSince(started)} s`);
  };
  if (!isLive) process.stderr.write(`${label} …\n`);
  const timer = isLive ? setInterval(draw, 100) : undefined;
  return {
    step(count = 1) {
      done += count;
    },
    end(word = 'done') {
      clearInterval(timer);
      process.stderr.write(`${isLive ? '\r\x1b[2K' : ''}${label}: ${word} (${secondsSince(started)} s)\n`);
    },
  };
}

function secondsSince(started) {
  return ((Date.now() - started) / 1000).toFixed(1);
}
