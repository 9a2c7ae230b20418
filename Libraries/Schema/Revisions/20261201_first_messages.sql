-- Conversations whose messages are in the table: an archive takes the first with the others. Archiving by age looks among them alone (the next revision).

CREATE INDEX CONCURRENTLY chat_messages_first ON chat.chat_messages (created_at, session_id, user_id) WHERE sequence = 1;

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX chat.chat_messages_first;
