-- Lists over the events of one contact, from which maps are made; no fields themselves. Collecting small numbers is
-- cheap, and one list serves five maps.

-- name: open_marks
-- type: text
-- description: per open: message id * 65536 + hour of week, UTC * 256 + hour of week in the workspace's zone
list(mark) filter (is_open)

-- name: click_marks
-- type: text
-- description: per click, the same
list(mark) filter (is_click)

-- name: click_pages
-- type: text→integer
-- description: how often each page was clicked, by the page's number
list_aggregate(list(page) filter (page is not null), 'histogram')
