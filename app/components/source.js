// A stretch of a source with the quoted words marked and scrolled into view.
export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".source");
  root.setAttribute("aria-label", data.label);
  root.replaceChildren(
    ...data.parts.map(({ text, marked }) => {
      const element = document.createElement(marked ? "mark" : "span");
      element.textContent = text;
      return element;
    }),
  );
  const mark = root.querySelector("mark");
  if (mark) root.scrollTop = Math.max(0, mark.offsetTop - root.offsetTop - 60);
}
