//! Every page with every sample, rendered and looked at.

use askama::Template;

use crate::pages::account::AccountPage;
use crate::pages::administrator::{LinkPage, TokenPage};
use crate::pages::applications::ApplicationsPage;
use crate::pages::consent::ConsentPage;
use crate::pages::error::Trouble;
use crate::pages::home::HomePage;
use crate::pages::installation::new::NewInstallationPage;
use crate::pages::installation::outcome::InstallationPage;
use crate::pages::login::LoginPage;

/// Text that must come out as text, wherever it goes in.
pub(crate) const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}";

/// A page that has samples.
pub(crate) trait Sampled: Template + Sized {
    /// All states worth looking at, the worst included.
    fn samples() -> Vec<Self>;
}

fn rendered<P: Sampled>(name: &str) -> Vec<(String, String)> {
    let pages = P::samples().into_iter().enumerate();
    pages.map(|(index, page)| (format!("{name} {index}"), page.render().unwrap())).collect()
}

fn all() -> Vec<(String, String)> {
    [
        rendered::<HomePage>("home"),
        rendered::<LoginPage>("login"),
        rendered::<ConsentPage>("consent"),
        rendered::<AccountPage>("account"),
        rendered::<ApplicationsPage>("applications"),
        rendered::<LinkPage>("administrator link"),
        rendered::<TokenPage>("administrator token"),
        rendered::<NewInstallationPage>("install link"),
        rendered::<InstallationPage>("installation"),
        rendered::<Trouble>("error"),
    ]
    .concat()
}

/// A tag without the values of its attributes, which may be anything.
fn without_values(tag: &str) -> String {
    tag.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// What stands between `before` and the next `after`, for each `before`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

#[test]
fn every_page_renders_every_sample_as_a_whole_document() {
    for (name, page) in all() {
        assert!(page.starts_with("<!doctype html>"), "{name}");
        assert!(page.contains("<html lang=\"en\">") && page.trim_end().ends_with("</html>"), "{name}");
        assert!(page.contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"), "{name}");
        assert_eq!(page.matches("<h1").count(), 1, "{name}");
        assert_eq!(page.matches("<main").count(), 1, "{name}");
        let title = between(&page, "<title>", "</title>");
        assert!(title.len() == 1 && title[0].ends_with("Spaceport"), "{name}: {title:?}");
    }
}

#[test]
fn pages_hold_no_script_no_style_and_nothing_from_elsewhere() {
    for (name, page) in all() {
        assert!(!page.contains("<script") && !page.contains("<style"), "{name}");
        assert!(!page.contains("<img"), "{name}");
        for tag in between(&page, "<", ">") {
            let bare = without_values(tag).to_lowercase();
            assert!(!bare.contains(" on") && !bare.contains(" style"), "{name}: <{tag}>");
            for attribute in ["src=\"", "href=\"", "action=\""] {
                for url in between(tag, attribute, "\"") {
                    assert!(url.starts_with('/') && !url.starts_with("//") || url.starts_with('#'), "{name}: {url}");
                }
            }
        }
        assert!(!page.contains("49"), "{name}: a template inside a value was expanded");
    }
}

#[test]
fn every_field_has_a_label_and_every_form_a_token() {
    for (name, page) in all() {
        for input in between(&page, "<input ", ">") {
            if input.contains("type=\"hidden\"") {
                continue;
            }
            let spaced = format!(" {input}");
            let id = between(&spaced, " id=\"", "\"");
            assert!(id.len() == 1, "{name}: <input {input}>");
            assert!(page.contains(&format!("<label for=\"{}\"", id[0])), "{name}: {} has no label", id[0]);
        }
        for form in between(&page, "<form ", "</form>") {
            assert!(form.contains("method=\"post\""), "{name}");
            assert_eq!(form.matches("name=\"token\"").count(), 1, "{name}: {form}");
        }
    }
}
