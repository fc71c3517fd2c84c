namespace Entrepot.Hosting;

/// <summary>Options filled from settings. To be used only when <see cref="Errors"/> is empty.</summary>
public sealed class BoundOptions
{
    private readonly IReadOnlyDictionary<Type, object> _values;

    internal BoundOptions(IReadOnlyDictionary<Type, object> values, IReadOnlyList<ConfigError> errors) => (_values, Errors) = (values, errors);

    /// <summary>Every mistake in the settings; empty when all is well.</summary>
    public IReadOnlyList<ConfigError> Errors { get; }

    /// <summary>The filled object of a registered class.</summary>
    /// <exception cref="InvalidOperationException">The class was not registered.</exception>
    public T Get<T>() where T : class =>
        _values.TryGetValue(typeof(T), out var value) ? (T)value : throw new InvalidOperationException($"{typeof(T)} is not in the schema: register it with OptionsSchema.Add");

    /// <summary>Registers every object as a singleton of its own class.</summary>
    public void AddTo(IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        foreach (var (type, value) in _values)
            services.AddSingleton(type, value);
    }
}
