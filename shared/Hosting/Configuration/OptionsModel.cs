using System.Collections.Concurrent;
using System.Reflection;

namespace Entrepot.Hosting.Configuration;

/// <summary>The keys of one options class. Read once per class; attributes are read only when a key is given or documented.</summary>
internal sealed class OptionsModel
{
    private static readonly ConcurrentDictionary<Type, OptionsModel> Known = new();

    private OptionsModel(Type type)
    {
        Properties = type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(p => p.GetMethod is not null && p.GetIndexParameters().Length == 0)
            .Select(OptionsProperty.FromOrNull).OfType<OptionsProperty>().ToList();
    }

    public IReadOnlyList<OptionsProperty> Properties { get; }

    public static OptionsModel Of(Type type) => Known.GetOrAdd(type, static t => new OptionsModel(t));

    public OptionsProperty? Find(string name) => Properties.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The secret that <c>XFile</c> stands for; null when the name is not of that form.</summary>
    public OptionsProperty? FindSecretOfFile(string name) =>
        name.EndsWith("File", StringComparison.OrdinalIgnoreCase) && Find(name[..^4]) is { IsSecret: true } secret ? secret : null;

    /// <summary>Every name that may stand in this section.</summary>
    public IEnumerable<string> Names() => Properties.SelectMany(p => p.IsSecret ? new[] { p.Name, p.Name + "File" } : [p.Name]);
}
