using System.Collections;

namespace Entrepot.Hosting.Configuration;

/// <summary>Fills options objects from settings and collects every mistake. Not thread-safe; one per binding.</summary>
internal sealed class OptionsBinder
{
    private readonly HashSet<string> _wrong = new(StringComparer.OrdinalIgnoreCase);

    public List<ConfigError> Errors { get; } = [];

    /// <summary>Whether secrets are left as they are, and files that hold them unread.</summary>
    public bool LeavesSecretsOut { get; set; }

    /// <summary>Fills an object's keys; names that it does not know are left to <see cref="ReportUnknown"/>.</summary>
    public void Fill(object target, IConfiguration settings, string path)
    {
        var model = OptionsModel.Of(target.GetType());
        foreach (var child in settings.GetChildren())
        {
            var key = ConfigKey.Shown(path, child.Key);
            if (model.Find(child.Key) is { } property)
            {
                if (!property.IsSecret || !LeavesSecretsOut)
                    Fill(target, property, child, key);
            }
            else if (model.FindSecretOfFile(child.Key) is { } secret && !LeavesSecretsOut)
                FillFromFile(target, secret, child, settings, key);
        }
    }

    /// <summary>Reports names that stand in <paramref name="settings"/> and are not among <paramref name="known"/>.</summary>
    public void ReportUnknown(IConfiguration settings, string path, IReadOnlyCollection<string> known)
    {
        foreach (var child in settings.GetChildren().Where(c => !known.Contains(c.Key, StringComparer.OrdinalIgnoreCase)))
        {
            // The value is not shown: the name may be a mistyped password's.
            var fix = Nearest.Find(child.Key, known) is { } name ? $"did you mean {name}?" : "remove it; known here: " + string.Join(", ", known.Order(StringComparer.Ordinal));
            Wrong(ConfigKey.Shown(path, child.Key), null, "is not a known key", fix);
        }
    }

    /// <summary>Asks the object and everything in it for broken rules. Keys already reported are not reported again.</summary>
    /// <param name="target">The object.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="broken">Rules of its own that are broken, besides those it tells itself.</param>
    public void Validate(object target, string path, IEnumerable<ConfigError>? broken = null)
    {
        var model = OptionsModel.Of(target.GetType());
        foreach (var error in ((target as IValidatableSection)?.Validate(path) ?? []).Concat(broken ?? []))
        {
            if (!_wrong.Contains(error.Key))
                Errors.Add(model.Find(error.Key[(error.Key.LastIndexOf(':') + 1)..]) is { IsSecret: true } ? error with { Value = null } : error);
        }

        foreach (var property in model.Properties)
        {
            var value = property.Kind is OptionsKind.Section or OptionsKind.Dictionary ? property.Get(target) : null;
            var key = ConfigKey.Shown(path, property.Name);
            if (property.Kind == OptionsKind.Section && value is not null)
                Validate(value, key);
            else if (value is IDictionary entries && !ScalarText.Reads(property.ValueType))
            {
                foreach (DictionaryEntry entry in entries)
                {
                    if (entry.Value is not null)
                        Validate(entry.Value, ConfigKey.Shown(key, (string)entry.Key));
                }
            }
        }
    }

    private void Fill(object target, OptionsProperty property, IConfigurationSection given, string key)
    {
        switch (property.Kind)
        {
            case OptionsKind.Scalar:
                FillScalar(target, property, given, key);
                break;
            case OptionsKind.List:
                FillList(target, property, given, key);
                break;
            case OptionsKind.Section when IsSection(given, key, property.ValueType):
                var section = property.Get(target) ?? Activator.CreateInstance(property.ValueType)!;
                FillSection(section, given, key);
                property.Set(target, section);
                break;
            case OptionsKind.Dictionary when given.Value is null or JsonSettings.EmptyObject:
                FillDictionary(target, property, given, key);
                break;
            case OptionsKind.Dictionary:
                Wrong(key, null, "is one value and not a section", "write an object of named entries");
                break;
        }
    }

    private void FillSection(object target, IConfigurationSection given, string key)
    {
        Fill(target, given, key);
        ReportUnknown(given, key, OptionsModel.Of(target.GetType()).Names().ToList());
    }

    private bool IsSection(IConfigurationSection given, string key, Type type)
    {
        if (string.IsNullOrEmpty(given.Value) || given.Value == JsonSettings.EmptyObject)
            return true;
        Wrong(key, null, "is one value and not a section", $"write an object with {string.Join(", ", OptionsModel.Of(type).Names())}");
        return false;
    }

    private void FillScalar(object target, OptionsProperty property, IConfigurationSection given, string key)
    {
        if (given.Value is JsonSettings.EmptyObject or JsonSettings.EmptyArray || (given.Value is null && given.GetChildren().Any()))
        {
            Wrong(key, null, "is a section and not one value", "write one value");
            return;
        }

        // JSON's null keeps the default; an empty text means the same where a text may be missing.
        if (given.Value is null || (given.Value.Length == 0 && (property.IsNullable || (property.ValueType == typeof(string) && property.Get(target) is null))))
            return;
        if (Read(property.ValueType, property, given.Value, key) is { } value)
            property.Set(target, value);
    }

    private object? Read(Type type, OptionsProperty property, string text, string key)
    {
        var shown = property.IsSecret ? null : text;
        var value = ScalarText.Parse(type, text, property.IsByteSize, out var problem, out var fix);
        if (value is null)
            Wrong(key, shown, problem, fix);
        else if (ScalarText.BrokenBounds(value, property.Range, property.IsByteSize) is { } bounds)
        {
            Wrong(key, shown, "is out of bounds", $"write {bounds}");
            return null;
        }

        return value;
    }

    private void FillList(object target, OptionsProperty property, IConfigurationSection given, string key)
    {
        var items = given.Value is null or JsonSettings.EmptyArray
            ? given.GetChildren().OrderBy(c => int.TryParse(c.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var i) ? i : int.MaxValue).ToList().ConvertAll(c => c.Value)
            : given.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToList().ConvertAll(string? (s) => s);
        if (items.Contains(null) || given.Value == JsonSettings.EmptyObject)
            Wrong(key, null, "is not a list of texts", "write [\"a\", \"b\"], or a,b in a variable");
        else if (given.Value is not null || items.Count > 0)
            property.Set(target, property.DeclaredType == typeof(string[]) ? items.ToArray() : items);
    }

    private void FillDictionary(object target, OptionsProperty property, IConfigurationSection given, string key)
    {
        var entries = (IDictionary)(property.Get(target) ?? Activator.CreateInstance(property.DeclaredType)!);
        foreach (var child in given.GetChildren())
        {
            var name = ConfigKey.Unescape(child.Key);
            var builtIn = entries.Keys.Cast<string>().FirstOrDefault(k => k.Equals(name, StringComparison.OrdinalIgnoreCase));
            var childKey = ConfigKey.Shown(key, child.Key);
            if (string.IsNullOrEmpty(child.Value) && !child.GetChildren().Any())
            {
                if (builtIn is not null)
                    entries.Remove(builtIn);
                else
                    Wrong(childKey, null, "is empty, but there is no built-in entry of that name to remove",
                        Nearest.Find(name, entries.Keys.Cast<string>()) is { } near ? $"did you mean {near}?" : "write an object, or leave the entry out");
            }
            else if (ScalarText.Reads(property.ValueType))
            {
                if (child.Value is null)
                    Wrong(childKey, null, "is a section and not one value", "write one value");
                else if (Read(property.ValueType, property, child.Value, childKey) is { } value)
                    entries[builtIn ?? name] = value;
            }
            else if (IsSection(child, childKey, property.ValueType))
            {
                var entry = (builtIn is null ? null : entries[builtIn]) ?? Activator.CreateInstance(property.ValueType)!;
                FillSection(entry, child, childKey);
                entries[builtIn ?? name] = entry;
            }
        }

        if (property.Get(target) is null)
            property.Set(target, entries);
    }

    private void FillFromFile(object target, OptionsProperty secret, IConfigurationSection given, IConfiguration siblings, string key)
    {
        if (string.IsNullOrEmpty(given.Value))
            return;
        if (!string.IsNullOrEmpty(siblings[secret.Name]))
        {
            Wrong(key, given.Value, $"is given beside {secret.Name}", "keep one of the two");
            return;
        }

        try
        {
            var text = File.ReadAllText(given.Value);
            secret.Set(target, text.EndsWith('\n') ? text[..^(text.EndsWith("\r\n", StringComparison.Ordinal) ? 2 : 1)] : text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Not missing besides.
            _wrong.Add(key[..^"File".Length]);
            Wrong(key, given.Value, File.Exists(given.Value) ? $"cannot be read: {e.Message}" : "does not exist", "name a file that this user can read");
        }
    }

    private void Wrong(string key, string? value, string problem, string fix)
    {
        _wrong.Add(key);
        Errors.Add(new ConfigError(key, value, problem, fix));
    }
}
