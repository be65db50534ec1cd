import { addCopyButtons } from "./page/copy.js";
import { makeTabs } from "./page/tabs.js";
import { scriptsRun } from "./shared/dom.js";

scriptsRun();
document.querySelectorAll("[role=tablist], [data-tabs]").forEach(makeTabs);
document.querySelectorAll("pre.snippet").forEach(addCopyButtons);
