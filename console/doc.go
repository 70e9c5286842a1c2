// Package console is the operator's page: a tenant's sessions, one session with its timeline as a plot and a table, and what the
// server is doing now. Pages are made on the server and hold no picture of anybody, because no record has one. A small script asks
// for the same page again every few seconds and replaces the parts that change; without the script a reload does the same.
//
// Everything is read and nothing is changed. What a client has chosen, an external id above all, is hostile: it passes through
// html/template only, and the policy of the pages (CSP) runs no script but the package's own file and loads nothing from elsewhere.
//
// docs/console.md says what is shown; docs/threat-model.md says who may see it.
package console
