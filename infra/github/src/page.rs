//! Which page of a listing comes next: the `Link` header (RFC 8288), as far as GitHub uses it.

use ::http::HeaderMap;
use ::http::header::LINK;
use url::Url;

/// The number of the next page.
pub(crate) fn next(headers: &HeaderMap) -> Option<u32> {
    number(headers, "next")
}

/// The number of the last page.
pub(crate) fn last(headers: &HeaderMap) -> Option<u32> {
    number(headers, "last")
}

/// Where a listing goes on that is not numbered.
pub(crate) fn cursor(headers: &HeaderMap) -> Option<String> {
    parameter(headers, "next", "cursor").filter(|cursor| !cursor.is_empty())
}

fn number(headers: &HeaderMap, relation: &str) -> Option<u32> {
    parameter(headers, relation, "page")?.parse().ok().filter(|page| *page > 0)
}

/// A parameter of the link with that relation. Only that is taken, never the address.
fn parameter(headers: &HeaderMap, relation: &str, name: &str) -> Option<String> {
    let mut rest = headers.get(LINK)?.to_str().ok()?;
    let wanted = format!("rel=\"{relation}\"");
    loop {
        let start = rest.find('<')? + 1;
        let end = start + rest[start..].find('>')?;
        let (url, after) = (&rest[start..end], &rest[end + 1..]);
        let parameters = after.split('<').next().unwrap_or_default();
        if parameters.split([';', ',']).any(|parameter| parameter.trim() == wanted) {
            return Some(Url::parse(url).ok()?.query_pairs().find(|(key, _)| key == name)?.1.into_owned());
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_a_link_names() {
        let mut headers = HeaderMap::new();
        assert_eq!((next(&headers), last(&headers)), (None, None));
        let link = "<https://api.github.com/repositories/1/pulls/2/reviews?per_page=100&page=2>; rel=\"next\", \
                    <https://api.github.com/repositories/1/pulls/2/reviews?per_page=100&page=7>; rel=\"last\"";
        headers.insert(LINK, link.parse().unwrap());
        assert_eq!((next(&headers), last(&headers)), (Some(2), Some(7)));
        assert_eq!(cursor(&headers), None);
        headers.insert(LINK, "<https://x/?per_page=100&cursor=v1_12077215967>; rel=\"next\"".parse().unwrap());
        assert_eq!((cursor(&headers).as_deref(), next(&headers)), (Some("v1_12077215967"), None));
        headers.insert(LINK, "<https://x/?page=1,2>; rel=\"prev\"".parse().unwrap());
        assert_eq!((next(&headers), last(&headers)), (None, None));
        headers.insert(LINK, "garbage < ; rel=\"next\"".parse().unwrap());
        assert_eq!(next(&headers), None);
    }
}
