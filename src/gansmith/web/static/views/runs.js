// Runs: every run of the folder with its newest sheet and state.
import { chooseRun, nothingYet } from "../parts/chooser.js";

export default {
  name: "runs", title: "Runs", key: "r", ofRun: false,
  mount(root, context) {
    if (!context.runs.length) nothingYet(root, context); else chooseRun(root, this, context.runs, context.go);
  },
};
