using System.Globalization;
using Entrepot.Bench.Running;

namespace Entrepot.Bench.Cluster;

/// <summary>Arguments that come as pairs, <c>--name value</c>.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = [];

    /// <summary>Reads them.</summary>
    /// <param name="words">What was typed.</param>
    /// <param name="usage">Told with what makes no sense.</param>
    /// <param name="known">The names there are.</param>
    /// <exception cref="BenchException">A name is not known, or has no value.</exception>
    public Arguments(IReadOnlyList<string> words, string usage, params string[] known)
    {
        for (var i = 0; i < words.Count; i += 2)
        {
            if (!known.Contains(words[i])) throw new BenchException($"'{words[i]}' is not known\n{usage}");
            _values[words[i]] = i + 1 < words.Count ? words[i + 1] : throw new BenchException($"{words[i]} needs a value");
        }
    }

    /// <summary>The value as it was typed; null when it was not.</summary>
    public string? Text(string name) => _values.GetValueOrDefault(name);

    /// <summary>A number from 1.</summary>
    /// <exception cref="BenchException">It is none.</exception>
    public int Number(string name, int otherwise) =>
        !_values.TryGetValue(name, out var text) ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new BenchException($"{name} needs a number from 1, not '{text}'");

    /// <summary>Those of <paramref name="all"/> whose names stand in a list with commas; all without such a list.</summary>
    /// <exception cref="BenchException">There is no such name.</exception>
    public IReadOnlyList<T> Chosen<T>(string name, IReadOnlyList<T> all, Func<T, string> nameOf)
    {
        if (!_values.TryGetValue(name, out var text)) return all;
        var wanted = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var unknown = wanted.Except(all.Select(nameOf)).FirstOrDefault();
        if (unknown is not null || wanted.Length == 0) throw new BenchException($"{name}: there is no '{unknown}'; there are {string.Join(", ", all.Select(nameOf))}");
        return [.. all.Where(one => wanted.Contains(nameOf(one)))];
    }
}
