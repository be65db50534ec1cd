import { Search } from "./search/app.js";
import { scriptsRun } from "./shared/dom.js";

scriptsRun();
const form = document.getElementById("search");
if (form instanceof HTMLFormElement) new Search(form).start();
