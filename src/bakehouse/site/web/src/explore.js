import { Explorer } from "./explore/app.js";
import { scriptsRun } from "./shared/dom.js";

scriptsRun();
new Explorer(document.getElementById("explore"), JSON.parse(document.getElementById("explore-data").textContent)).start();
