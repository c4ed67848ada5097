// What the course needs of JupyterLab itself: a prebuilt extension, written as a bundler would leave it.
(() => {
  "use strict";

  const WIDGETS = ".celerylab-quiz, .celerylab-letters";

  // While a cell is selected, JupyterLab takes plain keys for its own: arrows go to the next cell, "dd" deletes
  // this one. Within a widget they belong to its lists and buttons. Ctrl, Alt and Cmd stay JupyterLab's.
  function leaveKeys(event) {
    const plain = !(event.ctrlKey || event.altKey || event.metaKey);
    if (event.target.closest?.(WIDGETS)) {
      event.target.toggleAttribute("data-lm-suppress-shortcuts", plain);
    }
  }

  // The radio buttons of ipywidgets have no name, so each is a group of its own: arrows do nothing in it, and
  // a screen reader says "1 of 1".
  let groups = 0;
  function groupRadios(event) {
    for (const box of event.target.closest?.(WIDGETS)?.querySelectorAll(".widget-radio-box") ?? []) {
      const radios = box.querySelectorAll("input[type=radio]");
      if (radios.length && !radios[0].name) {
        groups += 1;
        radios.forEach((radio) => (radio.name = `celerylab-${groups}`));
      }
    }
  }

  const keys = {
    id: "celery-lab:keys",
    autoStart: true,
    activate() {
      // before JupyterLab looks at the key, which it does on its way down from the document
      window.addEventListener("keydown", leaveKeys, true);
      window.addEventListener("focusin", groupRadios, true);
    },
  };

  // JupyterLab shows a picture without its text. The text of a figure says what it shows.
  function figures({ IRenderMimeRegistry, RenderedImage }) {
    class DescribedImage extends RenderedImage {
      async render(model) {
        await super.render(model);
        this.node.querySelector("img")?.setAttribute("alt", String(model.data["text/plain"] ?? ""));
      }
    }
    return {
      id: "celery-lab:figures",
      autoStart: true,
      requires: [IRenderMimeRegistry],
      activate(app, registry) {
        registry.addFactory({
          safe: true,
          mimeTypes: ["image/png", "image/jpeg"],
          createRenderer: (options) => new DescribedImage(options),
        });
      },
    };
  }

  const FOLLOW = "rendermime:handle-local-link";
  const PAUSES = [200, 400, 400, 600, 800, 1000, 1500]; // ms; figures above the heading take their time, and move it
  const TOUCHES = ["wheel", "keydown", "mousedown", "touchstart"];

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // JupyterLab looks for the heading as soon as it has opened a notebook, when no cell has been drawn yet, and
  // stays at the top. So it is asked again, unless the reader has gone elsewhere meanwhile.
  async function arrive(shell, fragment) {
    const opened = shell.currentWidget;
    let touched = false;
    const touch = () => (touched = true);
    TOUCHES.forEach((name) => window.addEventListener(name, touch, { capture: true, once: true }));
    await opened?.context?.ready;
    await opened?.revealed;
    for (const pause of PAUSES) {
      await sleep(pause);
      if (touched || opened?.isDisposed || shell.currentWidget !== opened) break;
      opened?.setFragment?.(fragment);
    }
    TOUCHES.forEach((name) => window.removeEventListener(name, touch, { capture: true }));
  }

  const links = {
    id: "celery-lab:links",
    autoStart: true,
    activate(app) {
      app.commands.commandExecuted.connect((_, { id, args, result }) => {
        if (id === FOLLOW && args.id) {
          result.then(() => arrive(app.shell, args.id)).catch(() => {});
        }
      });
    },
  };

  let shared = {};

  async function plugins() {
    const rendering = Object.values(shared["@jupyterlab/rendermime"] ?? {})[0];
    const described = rendering ? [figures((await rendering.get())())] : [];
    return () => ({ __esModule: true, default: [keys, links, ...described] });
  }

  (window._JUPYTERLAB ??= {})["celery-lab"] = {
    init: (scope) => (shared = scope),
    get: plugins,
  };
})();
