// What the page asks of the service: addresses are relative, so that a proxy may put it anywhere.
const KEY = "celerylab-key";
const GREET = 4000; // ms until the first message must have come
const SILENCE = 15000; // ms without a heartbeat: the connection is dead, even if nobody said so

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value),
};

// Return {status, body, retry}; status 0: no answer.
export async function ask(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      headers: { "X-API-Key": key.get(), ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(10000),
    });
    const retry = Number(answer.headers.get("Retry-After")) || 1;
    return { status: answer.status, body: await answer.json().catch(() => ({})), retry };
  } catch {
    return { status: 0, body: {}, retry: 1 };
  }
}

// Call tell(task) at each change. Resolves once the socket is closed: true if the task has ended.
export function listen(id, tell) {
  return new Promise((resolve) => {
    const address = new URL(`tasks/${id}/events`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    let ended = false, timer, socket;
    const finish = () => { clearTimeout(timer); resolve(ended); };
    const expect = (patience) => {
      clearTimeout(timer);
      // not socket.onclose: a connection that is dead takes its time to close
      timer = setTimeout(() => { socket.onmessage = null; socket.close(); finish(); }, patience);
    };
    try {
      socket = new WebSocket(address);
    } catch {
      return finish();
    }
    expect(GREET);
    socket.onopen = () => socket.send(JSON.stringify({ key: key.get() }));
    socket.onmessage = (event) => {
      expect(SILENCE);
      const said = JSON.parse(event.data);
      if (said.heartbeat) return;
      ended = said.ended;
      tell(said);
    };
    socket.onclose = finish;
  });
}
