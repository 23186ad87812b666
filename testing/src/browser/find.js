// Finds the one element that a person means, brings it into view, and says where to click it.
(how, wanted) => {
    const name = (element) => element.outerHTML.slice(0, element.outerHTML.indexOf('>') + 1).slice(0, 120);
    const shown = (element) => {
        const box = element.getBoundingClientRect();
        return box.width > 0 && box.height > 0 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    };
    const text = (element) => {
        const said = element.matches('input[type=submit], input[type=button], input[type=reset]')
            ? element.value
            : (element.innerText ?? '');
        return said.trim().replace(/\s+/g, ' ');
    };
    let found;
    if (how === 'selector') {
        found = [...document.querySelectorAll(wanted)].filter(shown);
    } else {
        found = [...document.querySelectorAll('body *')].filter((element) => text(element) === wanted && shown(element));
        // Of elements within each other, the innermost.
        found = found.filter((element) => !found.some((other) => other !== element && element.contains(other)));
    }
    if (found.length === 0) {
        return { problem: 'nothing visible matches' };
    }
    if (found.length > 1) {
        return { problem: `${found.length} elements match: ${found.map(name).join(', ')}` };
    }
    const element = found[0];
    if (element.closest(':disabled')) {
        return { problem: `${name(element)} is disabled` };
    }
    element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const box = element.getClientRects()[0];
    const x = box.x + box.width / 2;
    const y = box.y + box.height / 2;
    const hit = document.elementFromPoint(x, y);
    if (!hit || !element.contains(hit)) {
        return { problem: `${name(element)} is covered by ${hit ? name(hit) : 'nothing that can be clicked'}` };
    }
    return { x, y };
}
