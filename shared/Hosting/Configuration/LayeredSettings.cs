namespace Entrepot.Hosting.Configuration;

/// <summary>
/// Settings from several places, later ones winning. A value replaces whatever earlier places said below its key, and a key below
/// replaces an earlier value: so a variable can remove an entry that the file describes, and the other way round.
/// </summary>
internal sealed class LayeredSettings
{
    private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase);

    public void Add(IEnumerable<KeyValuePair<string, string?>> layer)
    {
        var settings = layer.ToList();
        foreach (var (key, _) in settings)
            Forget(key);
        foreach (var (key, value) in settings)
            _values[key] = value;
    }

    public IConfigurationRoot ToConfiguration() => new ConfigurationRoot([new Provider(_values)]);

    private void Forget(string key)
    {
        for (var colon = key.LastIndexOf(':'); colon > 0; colon = key.LastIndexOf(':', colon - 1))
            _values.Remove(key[..colon]);
        foreach (var below in _values.Keys.Where(k => k.Length > key.Length && k[key.Length] == ':' && k.StartsWith(key, StringComparison.OrdinalIgnoreCase)).ToList())
            _values.Remove(below);
    }

    private sealed class Provider : ConfigurationProvider
    {
        public Provider(IDictionary<string, string?> data) => Data = data;
    }
}
