-- Erasing and exporting take the next rows of a table by its key, however many the person has behind them.

-- The rows of a step are looked up by their keys. Joined by hash, every step read all rows of the person.
ALTER FUNCTION heartguard.erase_rows SET enable_hashjoin = off SET enable_mergejoin = off;
-- The primary key has the order. A person whose devices are the newest is taken for one with hardly a row behind a place, and then all of them were
-- read, written out as JSON and sorted for each page.
ALTER FUNCTION heartguard.export_rows SET enable_sort = off;

-- Down ------------------------------------------------------------------------------------------------------------

ALTER FUNCTION heartguard.export_rows RESET enable_sort;
ALTER FUNCTION heartguard.erase_rows RESET enable_hashjoin RESET enable_mergejoin;
