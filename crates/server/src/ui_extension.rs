//! What an application adds to the product's pages: which of it is taken (semantics 5.2).

use std::collections::HashSet;

use spaceport_platform::application::{Endpoint, MAX_NAME, MAX_TEXT, MAX_URL, web_url};
use spaceport_platform::context::Context;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::ui_extension::{
    AppUiExtensionIn, CodeReviewFilter, CodeReviewMenuItem, FormParameter, GettingStarted, MenuItem, ParametersForm,
    TopLevelPage,
};
use url::Url;

/// Most extensions of an application in one context.
pub const MAX_EXTENSIONS: usize = 100;
/// Most filters of an item, fields of a form, and options of a field.
const MAX_PARTS: usize = 100;

/// Checks everything that an application wants to add in one context.
///
/// # Errors
/// Names the extension and its field, and what was expected.
pub fn check(extensions: &[AppUiExtensionIn], endpoint: Option<&Endpoint>) -> Result<(), Invalid> {
    most("extensions", extensions.len(), MAX_EXTENSIONS)?;
    let mut known = HashSet::new();
    for (index, extension) in extensions.iter().enumerate() {
        let within = |fault: Invalid| fault.within(&format!("extensions[{index}]"));
        let code = check_one(extension, endpoint).map_err(within)?;
        if !known.insert((std::mem::discriminant(extension), code)) {
            let fault = match code {
                None => Invalid::new("className", "must occur only once in a context"),
                Some((field, code)) => {
                    Invalid::new(field, format!("must not be {code}, as that of another one of its kind is"))
                }
            };
            return Err(within(fault));
        }
    }
    Ok(())
}

/// What tells extensions of one kind apart: a field and its value; none for what there is one of.
type Code<'a> = Option<(&'static str, &'a str)>;

fn check_one<'a>(extension: &'a AppUiExtensionIn, endpoint: Option<&Endpoint>) -> Result<Code<'a>, Invalid> {
    use AppUiExtensionIn as In;
    match extension {
        In::ChatBotUiExtensionIn => Ok(None),
        In::ApplicationHomepageUiExtensionIn(page) => iframe_url(page.iframe_url.as_deref()).map(|()| None),
        In::TopLevelPageUiExtensionIn(page) => top_level_page(page),
        In::GettingStartedUiExtensionIn(start) => getting_started(start, endpoint).map(|()| None),
        In::ExternalIssueTrackerUiExtensionIn(tracker) => {
            text_length("domain", tracker.domain.trim(), 1, MAX_URL)?;
            text_length("trackerName", tracker.tracker_name.trim(), 1, MAX_NAME)?;
            Ok(Some(("domain", &tracker.domain)))
        }
        In::ChatMessageMenuItemUiExtensionIn(item) => menu_item(item),
        In::IssueMenuItemUiExtensionIn(item) => menu_item(item),
        In::CodeReviewMenuItemUiExtensionIn(item) => code_review_menu_item(item),
        In::DocumentMenuItemUiExtensionIn(item) => menu_item(item),
        In::DocumentFolderMenuItemUiExtensionIn(item) => menu_item(item),
        In::MeetingMenuItemUiExtensionIn(item) => {
            item_texts(&item.display_name, item.description.as_deref(), &item.menu_item_unique_code)
        }
    }
}

fn top_level_page(page: &TopLevelPage) -> Result<Code<'_>, Invalid> {
    shown(&page.display_name, page.description.as_deref())?;
    text_length("uniqueCode", &page.unique_code, 1, MAX_NAME)?;
    // It becomes a part of paths.
    if !page.unique_code.chars().all(char::is_alphanumeric) {
        return Err(Invalid::new("uniqueCode", "must consist of letters and digits"));
    }
    iframe_url(page.iframe_url.as_deref())?;
    Ok(Some(("uniqueCode", &page.unique_code)))
}

fn menu_item<F>(item: &MenuItem<F>) -> Result<Code<'_>, Invalid> {
    most("visibilityFilters", item.visibility_filters.len(), MAX_PARTS)?;
    item_texts(&item.display_name, item.description.as_deref(), &item.menu_item_unique_code)
}

fn code_review_menu_item(item: &CodeReviewMenuItem) -> Result<Code<'_>, Invalid> {
    most("visibilityFilters", item.visibility_filters.len(), MAX_PARTS)?;
    for (index, filter) in item.visibility_filters.iter().enumerate() {
        if let CodeReviewFilter::CodeReviewInRepository { repository } = filter {
            text_length(&format!("visibilityFilters[{index}].repository"), repository.trim(), 1, MAX_NAME)?;
        }
    }
    if let Some(form) = &item.parameters_form {
        parameters_form(form).map_err(|fault| fault.within("parametersForm"))?;
    }
    item_texts(&item.display_name, item.description.as_deref(), &item.menu_item_unique_code)
}

fn parameters_form(form: &ParametersForm) -> Result<(), Invalid> {
    text_length("formTitle", form.form_title.trim(), 1, MAX_NAME)?;
    text_length("confirmButtonTitle", form.confirm_button_title.trim(), 1, MAX_NAME)?;
    most("parameters", form.parameters.len(), MAX_PARTS)?;
    let mut known = HashSet::new();
    for (index, parameter) in form.parameters.iter().enumerate() {
        let within = |fault: Invalid| fault.within(&format!("parameters[{index}]"));
        let key = form_parameter(parameter).map_err(within)?;
        if !known.insert(key) {
            return Err(within(Invalid::new("key", format!("must not be {key}, as that of another field is"))));
        }
    }
    Ok(())
}

fn form_parameter(parameter: &FormParameter) -> Result<&str, Invalid> {
    let (key, title, default_value) = match parameter {
        FormParameter::Boolean { key, title, .. } => (key, title, None),
        FormParameter::Text { key, title, default_value, .. }
        | FormParameter::Select { key, title, default_value, .. } => (key, title, default_value.as_deref()),
    };
    text_length("key", key, 1, MAX_NAME)?;
    text_length("title", title.trim(), 1, MAX_NAME)?;
    text_length("defaultValue", default_value.unwrap_or_default(), 0, MAX_TEXT)?;
    if let FormParameter::Select { options, .. } = parameter {
        most("options", options.len(), MAX_PARTS)?;
        for (index, option) in options.iter().enumerate() {
            text_length(&format!("options[{index}].key"), &option.key, 1, MAX_NAME)?;
            text_length(&format!("options[{index}].title"), option.title.as_deref().unwrap_or_default(), 0, MAX_NAME)?;
        }
    }
    Ok(key)
}

fn item_texts<'a>(display_name: &str, description: Option<&str>, code: &'a str) -> Result<Code<'a>, Invalid> {
    shown(display_name, description)?;
    text_length("menuItemUniqueCode", code, 1, MAX_NAME)?;
    Ok(Some(("menuItemUniqueCode", code)))
}

fn shown(display_name: &str, description: Option<&str>) -> Result<(), Invalid> {
    text_length("displayName", display_name.trim(), 1, MAX_NAME)?;
    text_length("description", description.unwrap_or_default(), 0, MAX_TEXT)
}

fn iframe_url(url: Option<&str>) -> Result<(), Invalid> {
    match url {
        Some(path) if path.starts_with('/') => local_path("iframeUrl", path),
        Some(url) => web_url("iframeUrl", url),
        None => Ok(()),
    }
}

/// Checks where an application leads whoever installed it: nowhere but to this server and its own.
///
/// # Errors
/// Names the field and what was expected.
pub fn getting_started(start: &GettingStarted, endpoint: Option<&Endpoint>) -> Result<(), Invalid> {
    const FIELD: &str = "gettingStartedUrl";
    text_length("gettingStartedTitle", start.getting_started_title.trim(), 1, MAX_NAME)?;
    let url = &start.getting_started_url;
    if url.starts_with('/') {
        return local_path(FIELD, url);
    }
    web_url(FIELD, url)?;
    let server = |url: &str| {
        let url = Url::parse(url).ok()?;
        Some((url.host_str()?.to_owned(), url.port_or_known_default()))
    };
    let own = endpoint.and_then(|endpoint| server(&endpoint.url));
    if own.is_none() || own != server(url) {
        return Err(Invalid::new(FIELD, "must be a path of this server, or have the host and port of the endpoint"));
    }
    Ok(())
}

/// A path that stays on the server it is resolved against, as browsers read it: `//e`, `/\e` do not.
fn local_path(field: &str, path: &str) -> Result<(), Invalid> {
    const HOST: &str = "server.invalid";
    text_length(field, path, 1, MAX_URL)?;
    let resolved = Url::parse(&format!("https://{HOST}/")).and_then(|base| base.join(path));
    match resolved {
        Ok(url) if url.host_str() == Some(HOST) && !path.chars().any(char::is_control) => Ok(()),
        _ => Err(Invalid::new(field, "must be a path without a host")),
    }
}

fn most(field: &str, count: usize, limit: usize) -> Result<(), Invalid> {
    if count > limit {
        return Err(Invalid::new(field, format!("must hold at most {limit} entries, holds {count}")));
    }
    Ok(())
}

/// The stored form.
///
/// # Errors
/// Never for what was [`check`]ed.
pub fn stored(extensions: &[AppUiExtensionIn]) -> Result<String, StoreError> {
    serde_json::to_string(extensions).map_err(|fault| StoreError::corrupt(format!("UI extensions: {fault}")))
}

/// Reads the stored form.
///
/// # Errors
/// When it was not made by [`stored`].
pub fn read(text: &str) -> Result<Vec<AppUiExtensionIn>, StoreError> {
    serde_json::from_str(text).map_err(|fault| StoreError::corrupt(format!("UI extensions: {fault}")))
}

/// The domain of the issue tracker that an application adds; of several, that of the first context.
///
/// # Errors
/// When an entry was not made by [`stored`].
pub fn tracker_domain(everywhere: &[(Context, String)]) -> Result<Option<String>, StoreError> {
    for (_, text) in everywhere {
        let domain = read(text)?.into_iter().find_map(|extension| match extension {
            AppUiExtensionIn::ExternalIssueTrackerUiExtensionIn(tracker) => Some(tracker.domain.trim().to_owned()),
            _ => None,
        });
        if domain.is_some() {
            return Ok(domain);
        }
    }
    Ok(None)
}

/// Where an application leads whoever installed it, if it says so and may still lead there.
///
/// # Errors
/// When the database fails.
pub fn start_of(
    tx: &mut Tx<'_>,
    application: &ApplicationId,
    endpoint: Option<&Endpoint>,
) -> Result<Option<GettingStarted>, StoreError> {
    let Some(text) = tx.ui_extensions_in(application, &Context::Global)? else { return Ok(None) };
    let start = read(&text)?.into_iter().find_map(|extension| match extension {
        AppUiExtensionIn::GettingStartedUiExtensionIn(start) => Some(start),
        _ => None,
    });
    // The endpoint may be another one by now.
    Ok(start.filter(|start| getting_started(start, endpoint).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(url: &str) -> GettingStarted {
        let getting_started_url = url.to_owned();
        GettingStarted { getting_started_url, getting_started_title: "Begin".to_owned(), open_in_new_tab: None }
    }

    #[test]
    fn whoever_installs_is_led_to_the_application_or_stays() {
        let endpoint = Endpoint { url: "https://app.example:8443/api".to_owned(), ssl_verification: true };
        for url in ["/", "/extensions/x?y=z#t", "https://app.example:8443/start", "http://APP.example:8443"] {
            assert_eq!(getting_started(&start(url), Some(&endpoint)), Ok(()), "{url}");
        }
        for url in [
            "",
            "start",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://app.example/start",
            "https://evil.example:8443",
            "https://app.example:8443@evil.example",
            "javascript:alert(1)",
        ] {
            let fault = getting_started(&start(url), Some(&endpoint)).unwrap_err();
            assert_eq!(fault.field, "gettingStartedUrl", "{url}");
        }
        assert!(getting_started(&start("https://app.example/"), None).is_err());
        assert_eq!(getting_started(&start("/"), None), Ok(()));
    }

    #[test]
    fn pages_have_paths_or_web_addresses() {
        for url in ["/space-iframe", "https://app.example/page", "http://localhost:8080"] {
            assert_eq!(iframe_url(Some(url)), Ok(()), "{url}");
        }
        for url in ["", "page", "//evil.example", "javascript:alert(1)", "data:text/html,x", "https://u:p@app.example"]
        {
            assert_eq!(iframe_url(Some(url)).unwrap_err().field, "iframeUrl", "{url}");
        }
    }
}
