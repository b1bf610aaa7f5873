// A reply with its statements underlined by what is known of them, and a button for each citation.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".reply");
  // The citation that was just opened keeps the keyboard's focus.
  const focused = root.getRootNode().activeElement?.dataset?.key;
  root.replaceChildren(...data.parts.map(render));
  if (focused) root.querySelector(`[data-key="${focused}"]`)?.focus();

  function render(part) {
    if (part.kind === "chip") return chip(part);
    if (part.kind === "sign") return sign(part);
    const span = document.createElement("span");
    span.textContent = part.text;
    if (part.state) {
      span.className = part.state;
      span.title = part.note;
    }
    return span;
  }

  // Tells how the statement before it stands: a sign for the eye, words for whoever listens.
  function sign(part) {
    const sign = document.createElement("span");
    sign.className = `sign ${part.state}-sign`;
    sign.title = part.note;
    const seen = document.createElement("span");
    seen.textContent = part.text;
    seen.setAttribute("aria-hidden", "true");
    const read = document.createElement("span");
    read.className = "unseen";
    read.textContent = ` (${part.note}) `;
    sign.append(seen, read);
    return sign;
  }

  function chip(part) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.key = `${part.claim}-${part.marker}`;
    button.textContent = part.marker;
    button.title = part.quote;
    button.setAttribute("aria-label", part.label);
    button.setAttribute("aria-pressed", String(part.open));
    button.onclick = () => setTriggerValue("cite", { claim: part.claim, marker: part.marker });
    return button;
  }
}
