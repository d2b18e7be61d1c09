// What a person sees of a client that is a single page. `client` is how it speaks with Fernbank:
// login(username, password), logout(), and call(path, body), which gives the answer's data.

/** Nobody is logged in, or no longer. */
export class LoggedOut extends Error {}

/** Send a request; a `body` makes it a POST of JSON. Rejects with a sentence when nobody answers. */
export async function send(url, body, headers) {
  const json = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  try {
    return await fetch(url, { ...json, headers: { ...type, ...headers } });
  } catch {
    throw new Error("Fernbank does not answer. Try again in a few seconds.");
  }
}

/** The data of an answer. Rejects with its sentence when it says no. */
export async function read(answer) {
  const data = await answer.json().catch(() => ({ error: `Fernbank answered ${answer.status}.` }));
  if (!answer.ok) throw new Error(data.error_description ?? data.error);
  return data;
}

const at = (id) => document.getElementById(id);

/** Draw the page and have its buttons do what they say. */
export async function open(client) {
  async function draw() {
    const { owner, balance } = await client.call("/balance");
    at("owner").textContent = owner;
    at("balance").textContent = balance.toLocaleString("en");
    inside(true);
  }

  /** Do something and say how it went: in a sentence if it went wrong. */
  async function act(work) {
    at("said").hidden = true;
    try {
      await work();
    } catch (error) {
      if (error instanceof LoggedOut) inside(false);
      at("said").textContent = error.message;
      at("said").hidden = error.message === "";
    }
  }

  on("login", "submit", () => act(async () => {
    await client.login(at("username").value, at("password").value);
    at("password").value = "";
    await draw();
  }));
  on("transfer", "submit", () => act(async () => {
    await client.call("/transfer", { to: at("to").value, amount: Number(at("amount").value) });
    await draw();
  }));
  on("again", "click", () => act(draw));
  on("logout", "click", () => act(async () => {
    await client.logout();
    inside(false);
  }));
  inside(false);
  await act(draw); // perhaps somebody is logged in already
}

function inside(yes) {
  at("inside").hidden = !yes;
  at("outside").hidden = yes;
}

function on(id, event, work) {
  at(id).addEventListener(event, (happening) => {
    happening.preventDefault();
    work();
  });
}
