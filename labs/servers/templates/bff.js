// The client of the backend-for-frontend: it has no token, and nothing to renew.

import { LoggedOut, open, read, send } from "./page.js";

// No form and no link of another page can send a header of its own, and a script there must ask first (CORS).
const ours = { "X-Fernbank": "1" };

export async function login(username, password) {
  await read(await send("/login", { username, password }, ours));
}

export async function logout() {
  await read(await send("/logout", {}, ours));
}

export async function call(path, body) {
  const answer = await send(`/api${path}`, body, ours);
  if (answer.status === 401) throw new LoggedOut("");
  return read(answer);
}

open({ login, logout, call });
