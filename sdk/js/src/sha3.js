// SPDX-License-Identifier: Apache-2.0
/**
 * SHA3-256 (FIPS 202), which X-Wing needs and WebCrypto of browsers lacks.  Lanes are two halves of
 * 32 bits; no branch and no index depends on the data.
 */

/** Keccak's constants, made by its own rules: 3.2.5 and 3.2.2. */
const { rounds, turns } = (() => {
  const rounds = new Uint32Array(48)
  for (let round = 0, bits = 1; round < 24; round++) {
    for (let j = 0; j < 7; j++, bits = (bits << 1) ^ ((bits >> 7) * 0x171)) {
      const at = (1 << j) - 1
      if (bits & 1) rounds[2 * round + (at >> 5)] |= 1 << (at & 31)
    }
  }
  const turns = new Uint8Array(25)
  for (let t = 0, x = 1, y = 0; t < 24; t++) {
    turns[x + 5 * y] = ((t + 1) * (t + 2) / 2) % 64
    ;[x, y] = [y, (2 * x + 3 * y) % 5]
  }
  return { rounds, turns }
})()

/** The half `high` of a lane turned left by `by`. */
function turned(low, high, by, half) {
  const [a, b] = (by < 32) === (half === 0) ? [low, high] : [high, low]
  const n = by % 32
  return n === 0 ? a : (a << n) | (b >>> (32 - n))
}

function permute(s) {
  const c = new Uint32Array(10)
  const b = new Uint32Array(50)
  for (let round = 0; round < 24; round++) {
    for (let i = 0; i < 10; i++) c[i] = s[i] ^ s[i + 10] ^ s[i + 20] ^ s[i + 30] ^ s[i + 40]
    for (let i = 0; i < 50; i++) {
      const x = (i >> 1) % 5
      const next = 2 * ((x + 1) % 5)
      s[i] ^= c[2 * ((x + 4) % 5) + (i & 1)] ^ turned(c[next], c[next + 1], 1, i & 1)
    }
    for (let i = 0; i < 25; i++) {
      const x = i % 5
      const y = (i - x) / 5
      const to = 2 * (y + 5 * ((2 * x + 3 * y) % 5))
      b[to] = turned(s[2 * i], s[2 * i + 1], turns[i], 0)
      b[to + 1] = turned(s[2 * i], s[2 * i + 1], turns[i], 1)
    }
    for (let i = 0; i < 50; i++) {
      const row = i - (i % 10)
      s[i] = b[i] ^ (~b[row + ((i + 2) % 10)] & b[row + ((i + 4) % 10)])
    }
    s[0] ^= rounds[2 * round]
    s[1] ^= rounds[2 * round + 1]
  }
  c.fill(0)
  b.fill(0)
}

const RATE = 136

/** The hash of `data`: 32 bytes. */
export function sha3(data) {
  const padded = new Uint8Array((Math.floor(data.length / RATE) + 1) * RATE)
  padded.set(data)
  padded[data.length] = 0x06
  padded[padded.length - 1] |= 0x80
  const view = new DataView(padded.buffer)
  const state = new Uint32Array(50)
  for (let at = 0; at < padded.length; at += RATE) {
    for (let i = 0; i < RATE / 4; i++) state[i] ^= view.getUint32(at + 4 * i, true)
    permute(state)
  }
  const out = new DataView(new ArrayBuffer(32))
  for (let i = 0; i < 8; i++) out.setUint32(4 * i, state[i], true)
  padded.fill(0)
  state.fill(0)
  return new Uint8Array(out.buffer)
}
