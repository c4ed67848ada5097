"""How a quiz looks.

No colour is set but the theme's own text colour, so contrast is the theme's on light and
dark; right and not right differ in words and in the line beside them.
"""

ROOT = "celerylab-quiz"
OUTPUT = "celerylab-quiz-output"
PLACES = "celerylab-quiz-places"

_STYLE = """<style>
.ROOT { max-width: 48em; padding: 4px; color: var(--jp-content-font-color1, inherit); }
.ROOT .widget-box, .ROOT .widget-html { overflow: visible; }
.ROOT .widget-html, .ROOT .widget-html-content { height: auto; line-height: 1.5; color: inherit; }
.ROOT pre, .ROOT code { color: inherit; background: transparent; font-family: monospace; }
.ROOT pre { margin: 0.5em 0; padding: 0.5em; border: 1px solid; white-space: pre-wrap; }
.ROOT label { width: auto; height: auto; min-height: 24px; overflow: visible; white-space: pre-wrap;
  line-height: 1.5; color: inherit; text-align: left; }
.ROOT .widget-inline-hbox, .ROOT .widget-radio, .ROOT .widget-radio-box { height: auto; max-width: none; }
.ROOT .widget-checkbox label { display: flex; align-items: baseline; }
.ROOT .widget-radio > .widget-label { display: none; }
.ROOT .widget-radio-box label { display: flex; flex-direction: row-reverse; justify-content: flex-end;
  align-items: flex-start; gap: 0.5em; margin: 0; }
.ROOT .widget-radio-box input { flex: none; width: 1em; height: 1em; margin: 0.25em 0 0; }
.ROOT .widget-text input { flex: none; width: 10em; }
.ROOT .widget-text input, .ROOT select { border: 1px solid; }
.ROOT button { align-self: flex-start; min-height: 28px; padding: 0 1em; border: 1px solid; }
.ROOT > .widget-vbox { margin-bottom: 1.5em; }
.ROOT .OUTPUT label { font-family: monospace; }
.ROOT .PLACES .widget-dropdown { flex-direction: row-reverse; justify-content: flex-end; gap: 0.5em; }
.ROOT .PLACES select { flex: none; width: auto; appearance: auto; background-image: none; }
.ROOT.ROOT :focus-visible { outline: 2px solid currentColor !important; outline-offset: 2px; }
.ROOT [role=status]:not(:empty) { padding: 0 0.75em; border-left: 4px solid; }
.ROOT [role=status].wrong { border-left-style: dashed; }
.ROOT summary { cursor: pointer; }
</style>"""

STYLE = _STYLE.replace("ROOT", ROOT).replace("OUTPUT", OUTPUT).replace("PLACES", PLACES)
