// Shows the nodes that Python describes, and changes in place what is there already.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  settle(parentElement.querySelector(".tree"), data.nodes);

  // Makes the children of an element those that are wanted; each keeps its node where it can.
  function settle(element, wanted) {
    const names = new Set(wanted.map(nameOf));
    const known = new Map();
    for (const child of [...element.childNodes]) {
      if (child.treeName && names.has(child.treeName) && !known.has(child.treeName))
        known.set(child.treeName, child);
      else child.remove();
    }
    let place = element.firstChild;
    wanted.forEach((node, position) => {
      const name = nameOf(node, position);
      const child = known.get(name) ?? create(node, name);
      known.delete(name);
      if (child === place) place = place.nextSibling;
      else element.insertBefore(child, place);
      update(child, node);
    });
  }

  function nameOf(node, position) {
    if (typeof node === "string") return `text ${position}`;
    return node.key ? `${node.tag} ${node.key}` : `${node.tag} at ${position}`;
  }

  function create(node, name) {
    const made =
      typeof node === "string" ? document.createTextNode(node) : document.createElement(node.tag);
    made.treeName = name;
    // Whether something is unfolded is the reader's to say from then on.
    if (node.tag === "details") made.open = "open" in node.attributes;
    return made;
  }

  function update(made, node) {
    if (typeof node === "string") {
      if (made.data !== node) made.data = node;
      return;
    }
    for (const { name } of [...made.attributes])
      if (!(name in node.attributes) && name !== "open") made.removeAttribute(name);
    for (const [name, value] of Object.entries(node.attributes))
      if (name !== "open" && made.getAttribute(name) !== value) made.setAttribute(name, value);
    made.onclick = node.act ? (event) => act(event, node.act) : null;
    settle(made, node.children);
  }

  function act(event, [action, subject]) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    setTriggerValue("act", { action, subject });
  }
}
