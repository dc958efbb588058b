//! What a demo says once its catalog is filled: where it is, how to sign in, and what to try.

use super::account::USER;
use super::place::{Place, SignIn};
use crate::failure::Failure;
use crate::output::{Page, dim};

/// Paths of the API that show what there is, and what they show.
const PATHS: [(&str, &str); 3] =
    [("workflows", "what is crawled when"), ("audit?limit=5", "who did what"), ("system", "the service itself")];

/// Commands that ask the service.
const COMMANDS: [(&str, &str); 5] = [
    ("search customer", "names, columns and descriptions, best first"),
    ("show sales/orders", "nested columns, the same data in the studio, where it comes from and goes"),
    ("lineage sales/orders --depth 3", "through jobs, views, links, S3 locations and the studio"),
    ("show term_revenue", "a term of a business glossary, and what it is assigned to"),
    ("evidence latest", "what the last run called, where it connected, what it masked"),
];

/// Prints it.
pub(super) fn tell(url: &str, sign_in: &SignIn, place: &Place) -> Result<(), Failure> {
    let mut page = Page::default();
    page.heading("The control plane serves this catalog");
    let facts = [
        ("URL", url),
        ("user", USER),
        ("password", sign_in.password.expose()),
        ("API token", sign_in.token.expose()),
        ("API", &format!("{url}/api/openapi.json")),
    ];
    page.facts(&facts.map(|(name, value)| (name.to_owned(), value.to_owned())));
    page.heading("Try");
    page.line(format!("  export ISINGLASS_SERVER={url} ISINGLASS_TOKEN={}", sign_in.token.expose()));
    for (command, about) in COMMANDS {
        page.line(format!("  isinglass {command}  {}", dim(&format!("# {about}"))));
    }
    page.line("");
    page.line("  isinglass_api() { curl -sS -H \"Authorization: Bearer $ISINGLASS_TOKEN\" \"$ISINGLASS_SERVER/api/v1/$1\"; }");
    for (path, about) in PATHS {
        page.line(format!("  isinglass_api '{path}'  {}", dim(&format!("# {about}"))));
    }
    let afterwards = match place {
        Place::Kept(folder) => format!("{} keeps everything for the next demo.", folder.display()),
        Place::Temporary(_) => "Nothing is kept: --data DIR keeps it.".to_owned(),
    };
    page.line(format!("\nCtrl-C stops it. {afterwards}"));
    page.print()
}
