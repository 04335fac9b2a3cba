ALTER TABLE profile ADD COLUMN username_folded TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE profile ADD COLUMN name_folded TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE profile ADD COLUMN external_id TEXT COLLATE "C";
ALTER TABLE profile ADD COLUMN picture_small TEXT;
ALTER TABLE profile ADD COLUMN picture_medium TEXT;
ALTER TABLE profile ADD COLUMN picture_full TEXT;
ALTER TABLE profile ADD COLUMN relation TEXT NOT NULL DEFAULT 'member';
ALTER TABLE profile ADD COLUMN suspended_at BIGINT;
ALTER TABLE profile ADD COLUMN tokens_not_before BIGINT NOT NULL DEFAULT 0;
UPDATE profile SET username_folded = LOWER(username), name_folded = LOWER(TRIM(first_name || ' ' || last_name));
CREATE UNIQUE INDEX profile_username ON profile (username_folded);
CREATE UNIQUE INDEX profile_external_id ON profile (external_id);
CREATE INDEX profile_name ON profile (name_folded, id);

CREATE TABLE profile_email (
  profile_id TEXT COLLATE "C" NOT NULL REFERENCES profile (id) ON DELETE CASCADE, position BIGINT NOT NULL, address TEXT NOT NULL,
  address_folded TEXT NOT NULL, claimed TEXT UNIQUE,
  PRIMARY KEY (profile_id, position)
);

CREATE TABLE project (
  id TEXT COLLATE "C" PRIMARY KEY, key TEXT NOT NULL, key_folded TEXT COLLATE "C" NOT NULL UNIQUE, name TEXT NOT NULL, name_folded TEXT COLLATE "C" NOT NULL,
  description TEXT, icon TEXT, openness TEXT NOT NULL, created_at BIGINT NOT NULL, archived_at BIGINT
);
CREATE INDEX project_name ON project (name_folded, id);

CREATE TABLE channel (
  id TEXT COLLATE "C" PRIMARY KEY, name TEXT NOT NULL, name_folded TEXT COLLATE "C" NOT NULL, description TEXT, icon TEXT, openness TEXT NOT NULL,
  created_at BIGINT NOT NULL, archived_at BIGINT
);
CREATE INDEX channel_name ON channel (name_folded, id);

CREATE TABLE package_repository (
  id TEXT COLLATE "C" PRIMARY KEY, project_id TEXT COLLATE "C" NOT NULL REFERENCES project (id), name TEXT NOT NULL, description TEXT,
  created_at BIGINT NOT NULL, archived_at BIGINT
);
CREATE INDEX package_repository_project ON package_repository (project_id, id);

CREATE TABLE team (
  id TEXT COLLATE "C" PRIMARY KEY, name TEXT NOT NULL, name_folded TEXT COLLATE "C" NOT NULL, description TEXT, parent_id TEXT COLLATE "C", external_id TEXT COLLATE "C" UNIQUE,
  created_at BIGINT NOT NULL, archived_at BIGINT
);
CREATE INDEX team_parent ON team (parent_id);
CREATE INDEX team_name ON team (name_folded, id);

CREATE TABLE membership (
  group_kind TEXT COLLATE "C" NOT NULL, group_id TEXT COLLATE "C" NOT NULL, member_kind TEXT COLLATE "C" NOT NULL, member_id TEXT COLLATE "C" NOT NULL, position TEXT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (group_kind, group_id, member_kind, member_id)
);
CREATE INDEX membership_member ON membership (member_kind, member_id);

CREATE TABLE role (
  id TEXT COLLATE "C" PRIMARY KEY, context TEXT NOT NULL, name TEXT NOT NULL, name_folded TEXT COLLATE "C" NOT NULL, description TEXT,
  created_at BIGINT NOT NULL,
  UNIQUE (context, name_folded)
);

CREATE TABLE role_right (
  role_id TEXT COLLATE "C" NOT NULL REFERENCES role (id) ON DELETE CASCADE, right_code TEXT NOT NULL,
  PRIMARY KEY (role_id, right_code)
);

CREATE TABLE role_member (
  role_id TEXT COLLATE "C" NOT NULL REFERENCES role (id) ON DELETE CASCADE, member_kind TEXT COLLATE "C" NOT NULL, member_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (role_id, member_kind, member_id)
);
CREATE INDEX role_member_member ON role_member (member_kind, member_id);

INSERT INTO role (id, context, name, name_folded, description, created_at)
  VALUES ('Member', 'global', 'Member', 'member', 'Every member of the organization has this role', 0);
INSERT INTO role_right (role_id, right_code) VALUES
  ('Member', 'Permissions.OrgMember'), ('Member', 'Profile.PermanentTokens.Create'), ('Member', 'Profile.View'),
  ('Member', 'Profile.View.Basic'), ('Member', 'Team.View');

CREATE TABLE organization (
  one BIGINT PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, slogan TEXT, logo TEXT, created_at BIGINT NOT NULL
);
