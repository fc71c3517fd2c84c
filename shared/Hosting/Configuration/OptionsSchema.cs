using Entrepot.Hosting.Configuration;

namespace Entrepot.Hosting;

/// <summary>
/// All keys that a process knows: options classes and where each stands. Several classes may share a place; a place may lie below another.
/// Properties may be string, bool, int, long, double, <see cref="TimeSpan"/>, enums, <see cref="Uri"/> (http(s) only), <c>string[]</c>,
/// <c>List&lt;string&gt;</c>, nested options classes, and <c>Dictionary&lt;string, T&gt;</c> whose built-in entries settings merge over and
/// null removes. <c>[Description]</c>, <c>[Range]</c>, <see cref="ByteSizeAttribute"/>, <see cref="SecretAttribute"/> and
/// <see cref="IValidatableSection"/> say more. Not thread-safe.
/// </summary>
public sealed class OptionsSchema
{
    private readonly List<(string Path, Type Type)> _sections = [];
    private readonly List<(string Path, Type? Type)> _others = [];
    private readonly Dictionary<Type, Func<object, IEnumerable<ConfigError>>> _rules = [];
    private readonly HashSet<Type> _withoutSecrets = [];

    /// <summary>Registers a class; its defaults are those of <c>new T()</c>.</summary>
    /// <param name="path">Where its keys stand: <c>""</c> is the root, <c>Api</c> or <c>Api:Cache</c> below it.</param>
    /// <param name="validate">Every broken rule of the filled object, for a class that is no <see cref="IValidatableSection"/>.</param>
    public OptionsSchema Add<T>(string path, Func<T, IEnumerable<ConfigError>>? validate = null) where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!_sections.Contains((path, typeof(T))))
            _sections.Add((path, typeof(T)));
        if (validate is not null) _rules[typeof(T)] = options => validate((T)options);
        return this;
    }

    /// <summary>
    /// The same for a process that needs the class but none of its secrets: these stay as in <c>new T()</c>, and files that hold them are not opened, so they need not be there.
    /// </summary>
    /// <inheritdoc cref="Add"/>
    public OptionsSchema AddWithoutSecrets<T>(string path, Func<T, IEnumerable<ConfigError>>? validate = null) where T : class, new()
    {
        _withoutSecrets.Add(typeof(T));
        return Add(path, validate);
    }

    /// <summary>Knows a section that other processes read from the same file: this one documents it, and neither fills nor checks it.</summary>
    public OptionsSchema AddForOthers<T>(string path) where T : class, new()
    {
        _others.Add((path, typeof(T)));
        return this;
    }

    /// <summary>Knows sections that other processes read from the same file, by name only.</summary>
    public OptionsSchema AddForOthers(params IEnumerable<string> paths)
    {
        _others.AddRange(paths.Select(path => (path, (Type?)null)));
        return this;
    }

    /// <summary>Every class that is documented, and where its keys stand.</summary>
    internal IEnumerable<(string Path, Type Type)> Sections => _sections.Concat(_others.Where(o => o.Type is not null).Select(o => (o.Path, o.Type!)));

    /// <summary>Every registered class filled from the settings, and every mistake in them.</summary>
    public BoundOptions Bind(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var binder = new OptionsBinder();
        var values = new Dictionary<Type, object>();
        foreach (var (path, type) in _sections)
        {
            values[type] = Activator.CreateInstance(type)!;
            binder.LeavesSecretsOut = _withoutSecrets.Contains(type);
            binder.Fill(values[type], path.Length == 0 ? configuration : configuration.GetSection(path), path);
        }

        foreach (var path in Places())
            binder.ReportUnknown(path.Length == 0 ? configuration : configuration.GetSection(path), path, NamesAt(path));
        foreach (var (path, type) in _sections)
            binder.Validate(values[type], path, _rules.GetValueOrDefault(type)?.Invoke(values[type]));
        return new BoundOptions(values, binder.Errors);
    }

    // The root, and every section's own and enclosing places.
    private HashSet<string> Places()
    {
        var places = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "" };
        foreach (var (path, _) in _sections)
        {
            for (var place = path; place.Length > 0; place = place.Contains(':', StringComparison.Ordinal) ? place[..place.LastIndexOf(':')] : "")
                places.Add(place);
        }

        return places;
    }

    private List<string> NamesAt(string place)
    {
        var inside = place.Length == 0 ? "" : place + ":";
        var sections = _sections.Select(s => s.Path).Concat(_others.Select(o => o.Path))
            .Where(p => p.Length > inside.Length && p.StartsWith(inside, StringComparison.OrdinalIgnoreCase)).Select(p => p[inside.Length..].Split(':')[0]);
        return _sections.Where(s => s.Path.Equals(place, StringComparison.OrdinalIgnoreCase)).SelectMany(s => OptionsModel.Of(s.Type).Names())
            .Concat(sections).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
    }
}
