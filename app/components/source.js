// A stretch of a source with the quoted words marked and scrolled into view.
export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".source");
  root.setAttribute("aria-label", data.label);
  root.classList.toggle("short", Boolean(data.picture));
  root.replaceChildren(
    ...data.parts.map(({ text, marked }) => {
      const element = document.createElement(marked ? "mark" : "span");
      element.textContent = text;
      return element;
    }),
  );
  const mark = root.querySelector("mark");
  if (mark) root.scrollTop = Math.max(0, mark.offsetTop - root.offsetTop - 60);
  picture(parentElement.querySelector("figure"), data.picture);
}

// The page as its author made it, loaded when it comes into sight; a click shows it in full size.
function picture(figure, wanted) {
  figure.hidden = !wanted;
  if (!wanted || figure.dataset.address === wanted.address) return;
  figure.dataset.address = wanted.address;
  const image = document.createElement("img");
  image.loading = "lazy";
  image.alt = wanted.text;
  image.onerror = () => {
    const problem = document.createElement("p");
    problem.textContent = wanted.problem;
    figure.replaceChildren(problem);
  };
  const link = document.createElement("a");
  link.href = wanted.address;
  link.target = "_blank";
  link.rel = "noopener";
  link.append(image);
  const caption = document.createElement("figcaption");
  caption.textContent = wanted.hint;
  figure.replaceChildren(link, caption);
  image.src = wanted.address;
}
